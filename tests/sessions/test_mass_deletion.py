"""The sign-out of everybody holds from its first moment, however long it takes."""

import threading
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connection, transaction
from django.urls import resolve, reverse
from django.utils import timezone

from tests.conftest import sign_in
from tests.models import AccountSession
from tests.models import SessionStore as AccountStore
from wagtail_user_sessions.exceptions import SessionRefused
from wagtail_user_sessions.hashing import MARKER_KEY_HASH
from wagtail_user_sessions.management.progress import Progress
from wagtail_user_sessions.models import Session
from wagtail_user_sessions.sessions import not_before
from wagtail_user_sessions.sessions.mass_deletion import MassRevocation
from wagtail_user_sessions.signals import session_ended, session_started

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def small_batches(batches_of):
    batches_of(1)


@pytest.fixture
def keys(store, alice, bob):
    """Of sessions that were all seen before: copies of them may stand in a cache."""
    keys = [sign_in(store, user).session_key for user in (alice, bob) * 3]
    assert all(is_let_in(store, key) for key in keys)
    return keys


def is_let_in(store, key):
    return "_auth_user_id" in store(key)


def barriers():
    return Session.rows().filter(key_hash=MARKER_KEY_HASH)


def begun(store, *, rows=None, spared=()):
    """A sign-out of everybody of which the first batch has gone."""
    rows = Session.objects.filter(user__isnull=False) if rows is None else rows
    marker = store().create_model_instance({})
    revocation = MassRevocation(rows, marker=marker, spared=spared)
    batches = iter(revocation)
    assert next(batches) == 1
    return batches


def test_every_cookie_is_refused_while_most_rows_are_still_there(store, keys):
    batches = begun(store)
    assert Session.objects.count() == 5
    assert not any(is_let_in(store, key) for key in keys)
    assert sum(batches) == 5
    assert not Session.objects.exists()


def test_a_session_that_is_spared_goes_on(store, keys, alice):
    own = Session.objects.for_key(keys[0]).get()
    rows = Session.objects.exclude(pk=own.pk)
    batches = begun(store, rows=rows, spared=[own.pk])
    assert [is_let_in(store, key) for key in keys] == [True] + [False] * 5
    for _ in batches:
        pass
    assert list(Session.objects.all()) == [own]
    assert is_let_in(store, keys[0])


def test_who_signs_in_meanwhile_stays_signed_in(store, keys, alice):
    batches = begun(store)
    new = [sign_in(store, alice).session_key for _ in range(3)]
    assert all(is_let_in(store, key) for key in new)
    for _ in batches:
        pass
    assert all(is_let_in(store, key) for key in new)


def test_a_sign_in_that_was_under_way_gets_no_further(store, keys, alice):
    batches = begun(store)
    late = sign_in(store, alice)
    before = timezone.now() - timedelta(seconds=30)
    for _ in batches:
        pass
    # As if its transaction had committed only now.
    Session.objects.for_key(late.session_key).update(signed_in_at=before)
    assert not is_let_in(store, late.session_key)


def test_visitors_are_left_alone(store, keys):
    session = store()
    session["basket"] = ["pears"]
    session.save()
    for _ in begun(store):
        assert store(session.session_key)["basket"] == ["pears"]
    assert store(session.session_key)["basket"] == ["pears"]


@pytest.mark.parametrize("age", [timedelta(0), timedelta(days=-1)])
def test_where_no_sign_in_is_known_the_birth_counts(store, keys, age):
    born = timezone.now() - age
    Session.objects.all().update(signed_in_at=None, created_at=born)
    batches = begun(store)
    assert sum(is_let_in(store, key) for key in keys) == (5 if age else 0)
    batches.close()


def test_what_is_broken_off_stays_refused_and_goes_with_the_clean_up(store, keys):
    begun(store).close()
    assert not any(is_let_in(store, key) for key in keys)
    assert Session.objects.count() == 5
    call_command("clearsessions", verbosity=0)
    assert not Session.objects.exists()
    assert not any(is_let_in(store, key) for key in keys)


def test_the_clean_up_takes_nothing_else(store, keys, alice):
    own = Session.objects.for_key(keys[0]).get()
    rows = Session.objects.exclude(pk=own.pk)
    begun(store, rows=rows, spared=[own.pk]).close()
    visitor = store()
    visitor["basket"] = ["pears"]
    visitor.save()
    new = sign_in(store, alice)
    call_command("clearsessions", verbosity=0)
    kept = {row.key_hash for row in Session.objects.all()}
    alive = (keys[0], visitor.session_key, new.session_key)
    assert kept == {Session.objects.for_key(key).get().key_hash for key in alive}


def test_the_next_one_ends_what_was_broken_off(store, keys):
    begun(store).close()
    assert sum(begun(store)) == 4
    assert not Session.objects.exists()


def test_a_narrower_one_lifts_nothing(store, keys):
    begun(store).close()
    call_command("revoke_sessions", all=True, older_than="30d", verbosity=0)
    call_command("revoke_sessions", all=True, except_superusers=True, verbosity=0)
    sign_in_again = Session(key_hash=bytes(31) + b"\1")
    not_before.set_not_before(
        sign_in_again,
        "default",
        until=timezone.now() - timedelta(days=1),
        spared=[row.pk for row in Session.objects.all()],
    )
    assert not any(is_let_in(store, key) for key in keys)


def test_the_barrier_goes_when_no_session_can_be_left(store, keys):
    last = max(row.expire_date for row in Session.objects.all())
    for _ in begun(store):
        pass
    assert barriers().get().expire_date >= last
    barriers().update(expire_date=timezone.now() - timedelta(seconds=1))
    call_command("clearsessions", verbosity=0)
    assert not barriers().exists()


def test_who_signed_in_by_a_clock_that_is_ahead_is_signed_out(store, keys):
    ahead = timezone.now() + timedelta(minutes=5)
    Session.objects.for_key(keys[0]).update(signed_in_at=ahead)
    assert sum(begun(store)) == 5
    assert not Session.objects.exists()
    assert not any(is_let_in(store, key) for key in keys)


def test_a_barrier_that_is_over_refuses_nobody(store, keys):
    now = timezone.now()
    not_before.set_not_before(Session(), "default", until=now, spared=())
    store.purge_all()
    assert not any(is_let_in(store, key) for key in keys)
    over = now - timedelta(seconds=1)
    Session.rows().filter(key_hash=MARKER_KEY_HASH).update(expire_date=over)
    assert all(is_let_in(store, key) for key in keys)


def test_a_barrier_that_is_over_takes_along_what_it_refuses(store, keys):
    begun(store).close()
    later = timezone.now() + timedelta(days=365)
    Session.objects.update(expire_date=later)
    barriers().update(expire_date=timezone.now() - timedelta(seconds=1))
    call_command("clearsessions", verbosity=0)
    assert not Session.rows().exists()


def test_a_model_that_takes_no_barrier_is_signed_out_in_batches(
    store, keys, monkeypatch, caplog
):
    def refuse(*args):
        raise IntegrityError

    monkeypatch.setattr(not_before, "_insert", refuse)
    assert sum(begun(store)) == 5
    assert not Session.rows().exists()
    assert "not refused before they are deleted" in caplog.text


def test_the_view_is_in_no_transaction(admin_client):
    address = reverse(Session.snippet_viewset.get_url_name("revoke_everybody"))
    assert "default" in resolve(address).func._non_atomic_requests


def test_a_late_save_brings_none_back(store, keys):
    late = [store(key) for key in keys]
    for session in late:
        session["basket"] = ["pears"]
    batches = begun(store)
    saved = [session for session in late if is_saved(session)]
    assert len(saved) == 5
    assert not any(is_let_in(store, key) for key in keys)
    for _ in batches:
        pass
    assert not any(is_let_in(store, key) for key in keys)


def is_saved(session):
    try:
        session.save()
    except SessionRefused:
        return False
    return True


@pytest.mark.parametrize("days", [-1, 0, 1, None])
@pytest.mark.parametrize("is_spared", [False, True])
def test_what_loads_refuse_is_what_the_clean_up_takes(store, alice, days, is_spared):
    key = sign_in(store, alice).session_key
    row = Session.objects.for_key(key).get()
    now = timezone.now()
    signed_in_at = None if days is None else now + timedelta(days=days)
    Session.objects.update(signed_in_at=signed_in_at)
    not_before.set_not_before(
        Session(), "default", until=now, spared=[row.pk] if is_spared else []
    )
    refused = not is_let_in(store, key)
    assert not_before.rejected(Session.objects.all()).exists() == refused
    assert refused == (not is_spared and days != 1)


def test_nobody_is_told_of_the_barrier(store, keys):
    told = []

    def listener(session, **kwargs):
        told.append(session.key_hash)

    for signal in (session_started, session_ended):
        signal.connect(listener, sender=Session)
    try:
        for _ in begun(store):
            pass
    finally:
        for signal in (session_started, session_ended):
            signal.disconnect(listener, sender=Session)
    assert len(told) == 6
    assert MARKER_KEY_HASH not in told


def test_what_was_rolled_back_refuses_nobody(store, keys):
    with transaction.atomic():
        for _ in begun(store):
            pass
        transaction.set_rollback(True)
    assert all(is_let_in(store, key) for key in keys)


@pytest.mark.parametrize("is_atomic", [False, True])
def test_one_barrier_is_raised_over_another(store, keys, is_atomic):
    for _ in range(2):
        if is_atomic:
            with transaction.atomic():
                raised()
        else:
            raised()
    assert barriers().count() == 1


def raised():
    new = Session(key_hash=bytes(31) + b"\1")
    not_before.set_not_before(new, "default", until=timezone.now(), spared=[])


def test_barriers_can_be_raised_at_once_beside_others_who_write(store, keys):
    failures = []

    def repeatedly(act):
        try:
            for _ in range(20):
                act()
        except OperationalError as error:
            failures.append(error)
        finally:
            connection.close()

    def save():
        session = store(keys[0])
        session["at"] = str(timezone.now())
        session.create()

    threads = [
        threading.Thread(target=repeatedly, args=[act])
        for act in (raised, raised, save)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert barriers().count() == 1


def test_the_command_signs_everybody_out_at_once(store, keys, monkeypatch):
    seen = []

    def follow(self, batches):
        counts = []
        for count in batches:
            counts.append(count)
            seen.append([is_let_in(store, key) for key in keys])
        return sum(counts)

    monkeypatch.setattr(Progress, "follow", follow)
    call_command("revoke_sessions", all=True, verbosity=0)
    assert seen == [[False] * 6] * 6
    assert not Session.objects.exists()


def test_a_model_of_the_sites_own_has_its_barrier_in_its_own_table(alice, settings):
    settings.SESSION_ENGINE = "tests.models"
    keys = [sign_in(AccountStore, alice).session_key for _ in range(2)]
    rows = AccountSession.objects.filter(user__isnull=False)
    batches = begun(AccountStore, rows=rows)
    assert not any(is_let_in(AccountStore, key) for key in keys)
    assert sum(batches) == 1
    assert not AccountSession.objects.exists()
    assert not Session.objects.exists()


def test_no_key_has_the_hash_of_the_barrier(store, keys):
    batches = begun(store)
    for key in (
        "",
        "\0" * 32,
        "f" * 64,
        MARKER_KEY_HASH.hex(),
        MARKER_KEY_HASH.decode("latin-1"),
    ):
        session = store(key)
        assert (session.load(), session.row) == ({}, None)
    batches.close()
