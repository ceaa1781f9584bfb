"""The sign-out of everybody: the not-before marker, and the deletion in batches."""

import threading
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connection, transaction
from django.urls import resolve, reverse
from django.utils import timezone

from tests.backends.stored_sessions import again, signed_in_by_hand
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
    """The keys of six sessions: half of them were made for visitors, with a copy."""
    sessions = [
        start(store, user)
        for user in (alice, bob, alice)
        for start in (sign_in, signed_in_by_hand)
    ]
    keys = [session.session_key for session in sessions]
    assert all(is_admitted(store, key) for key in keys)
    return keys


def is_admitted(store, key):
    return "_auth_user_id" in again(store(key))


def markers():
    return Session.rows().filter(key_hash=MARKER_KEY_HASH)


def begin(store, *, rows=None, spared=()):
    """Begin to sign everybody out; returns the batches after the first one."""
    rows = Session.objects.filter(user__isnull=False) if rows is None else rows
    marker = store().create_model_instance({})
    revocation = MassRevocation(rows, marker=marker, spared=spared)
    batches = iter(revocation)
    assert next(batches) == 1
    return batches


def test_every_cookie_is_refused_while_most_rows_are_still_there(store, keys):
    batches = begin(store)
    assert Session.objects.count() == 5
    assert not any(is_admitted(store, key) for key in keys)
    assert sum(batches) == 5
    assert not Session.objects.exists()


def test_a_spared_session_stays_admitted(store, keys, alice):
    own = Session.objects.for_key(keys[0]).get()
    rows = Session.objects.exclude(pk=own.pk)
    batches = begin(store, rows=rows, spared=[own.pk])
    assert [is_admitted(store, key) for key in keys] == [True] + [False] * 5
    for _ in batches:
        pass
    assert list(Session.objects.all()) == [own]
    assert is_admitted(store, keys[0])


def test_a_session_signed_in_to_meanwhile_stays_admitted(store, keys, alice):
    batches = begin(store)
    new = [sign_in(store, alice).session_key for _ in range(3)]
    assert all(is_admitted(store, key) for key in new)
    for _ in batches:
        pass
    assert all(is_admitted(store, key) for key in new)


def test_a_sign_in_under_way_that_commits_later_is_refused(store, keys, alice):
    batches = begin(store)
    late = sign_in(store, alice)
    before = timezone.now() - timedelta(seconds=30)
    for _ in batches:
        pass
    # As if the transaction of the sign-in had begun earlier, and committed only now.
    Session.objects.for_key(late.session_key).update(signed_in_at=before)
    assert not is_admitted(store, late.session_key)


def test_sessions_of_visitors_are_left_alone(store, keys):
    session = store()
    session["basket"] = ["pears"]
    session.save()
    for _ in begin(store):
        assert store(session.session_key)["basket"] == ["pears"]
    assert store(session.session_key)["basket"] == ["pears"]


@pytest.mark.parametrize("age", [timedelta(0), timedelta(days=-1)])
def test_the_creation_counts_for_a_row_without_a_time_of_sign_in(store, keys, age):
    created_at = timezone.now() - age
    Session.objects.all().update(signed_in_at=None, created_at=created_at)
    batches = begin(store)
    assert sum(is_admitted(store, key) for key in keys) == (5 if age else 0)
    batches.close()


def test_rows_left_by_a_revocation_that_broke_off_stay_refused_until_clearsessions(
    store, keys
):
    begin(store).close()
    assert not any(is_admitted(store, key) for key in keys)
    assert Session.objects.count() == 5
    call_command("clearsessions", verbosity=0)
    assert not Session.objects.exists()
    assert not any(is_admitted(store, key) for key in keys)


def test_clearsessions_deletes_no_session_that_is_admitted(store, keys, alice):
    own = Session.objects.for_key(keys[0]).get()
    rows = Session.objects.exclude(pk=own.pk)
    begin(store, rows=rows, spared=[own.pk]).close()
    visitor = store()
    visitor["basket"] = ["pears"]
    visitor.save()
    new = sign_in(store, alice)
    call_command("clearsessions", verbosity=0)
    kept = {row.key_hash for row in Session.objects.all()}
    alive = (keys[0], visitor.session_key, new.session_key)
    assert kept == {Session.objects.for_key(key).get().key_hash for key in alive}


def test_a_second_revocation_deletes_what_the_first_has_left(store, keys):
    begin(store).close()
    assert sum(begin(store)) == 4
    assert not Session.objects.exists()


def test_a_narrower_revocation_leaves_the_marker_as_it_is(store, keys):
    begin(store).close()
    call_command("revoke_sessions", all=True, older_than="30d", verbosity=0)
    call_command("revoke_sessions", all=True, except_superusers=True, verbosity=0)
    sign_in_again = Session(key_hash=bytes(31) + b"\1")
    not_before.set_not_before(
        sign_in_again,
        "default",
        until=timezone.now() - timedelta(days=1),
        spared=[row.pk for row in Session.objects.all()],
    )
    assert not any(is_admitted(store, key) for key in keys)


def test_clearsessions_deletes_the_marker_once_no_session_can_be_left(store, keys):
    last = max(row.expire_date for row in Session.objects.all())
    for _ in begin(store):
        pass
    assert markers().get().expire_date >= last
    markers().update(expire_date=timezone.now() - timedelta(seconds=1))
    call_command("clearsessions", verbosity=0)
    assert not markers().exists()


def test_sessions_signed_in_to_by_a_clock_that_is_ahead_are_deleted(store, keys):
    ahead = timezone.now() + timedelta(minutes=5)
    Session.objects.for_key(keys[0]).update(signed_in_at=ahead)
    assert sum(begin(store)) == 5
    assert not Session.objects.exists()
    assert not any(is_admitted(store, key) for key in keys)


def test_an_expired_marker_rejects_no_session(store, keys):
    now = timezone.now()
    not_before.set_not_before(Session(), "default", until=now, spared=())
    assert not any(is_admitted(store, key) for key in keys)
    over = now - timedelta(seconds=1)
    Session.rows().filter(key_hash=MARKER_KEY_HASH).update(expire_date=over)
    assert all(is_admitted(store, key) for key in keys)


def test_clearsessions_deletes_the_rows_of_an_expired_marker_with_it(store, keys):
    begin(store).close()
    later = timezone.now() + timedelta(days=365)
    Session.objects.update(expire_date=later)
    markers().update(expire_date=timezone.now() - timedelta(seconds=1))
    call_command("clearsessions", verbosity=0)
    assert not Session.rows().exists()


def test_a_model_that_allows_no_marker_is_deleted_in_batches(
    store, keys, monkeypatch, caplog
):
    def refuse(*args):
        raise IntegrityError

    monkeypatch.setattr(not_before, "_insert", refuse)
    assert sum(begin(store)) == 5
    assert not Session.rows().exists()
    assert "not refused before they are deleted" in caplog.text


def test_the_view_that_signs_out_everybody_is_in_no_transaction(admin_client):
    address = reverse(Session.snippet_viewset.get_url_name("revoke_everybody"))
    assert "default" in resolve(address).func._non_atomic_requests


def test_a_late_save_never_revives_a_session_that_the_marker_rejects(store, keys):
    late = [store(key) for key in keys]
    for session in late:
        session["basket"] = ["pears"]
    batches = begin(store)
    saved = [session for session in late if is_saved(session)]
    assert len(saved) == 5
    assert not any(is_admitted(store, key) for key in keys)
    for _ in batches:
        pass
    assert not any(is_admitted(store, key) for key in keys)


def is_saved(session):
    try:
        session.save()
    except SessionRefused:
        return False
    return True


@pytest.mark.parametrize("days", [-1, 0, 1, None])
@pytest.mark.parametrize("is_spared", [False, True])
def test_loads_and_clearsessions_agree_about_rejected_rows(
    store, alice, days, is_spared
):
    key = sign_in(store, alice).session_key
    row = Session.objects.for_key(key).get()
    now = timezone.now()
    signed_in_at = None if days is None else now + timedelta(days=days)
    Session.objects.update(signed_in_at=signed_in_at)
    not_before.set_not_before(
        Session(), "default", until=now, spared=[row.pk] if is_spared else []
    )
    refused = not is_admitted(store, key)
    assert not_before.rejected(Session.objects.all()).exists() == refused
    assert refused == (not is_spared and days != 1)


def test_no_signal_is_sent_for_the_marker(store, keys):
    received = []

    def listener(session, **kwargs):
        received.append(session.key_hash)

    for signal in (session_started, session_ended):
        signal.connect(listener, sender=Session)
    try:
        for _ in begin(store):
            pass
    finally:
        for signal in (session_started, session_ended):
            signal.disconnect(listener, sender=Session)
    assert len(received) == 6
    assert MARKER_KEY_HASH not in received


def test_a_marker_that_is_rolled_back_rejects_no_session(store, keys):
    with transaction.atomic():
        for _ in begin(store):
            pass
        transaction.set_rollback(True)
    assert all(is_admitted(store, key) for key in keys)


@pytest.mark.parametrize("is_atomic", [False, True])
def test_set_not_before_replaces_the_marker_before(store, keys, is_atomic):
    for _ in range(2):
        if is_atomic:
            with transaction.atomic():
                set_marker()
        else:
            set_marker()
    assert markers().count() == 1


def set_marker():
    new = Session(key_hash=bytes(31) + b"\1")
    not_before.set_not_before(new, "default", until=timezone.now(), spared=[])


def test_set_not_before_can_run_at_once_beside_other_writers(store, keys):
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
        for act in (set_marker, set_marker, save)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert markers().count() == 1


def test_revoke_sessions_refuses_all_sessions_from_its_first_batch(
    store, keys, monkeypatch
):
    seen = []

    def follow(self, batches):
        counts = []
        for count in batches:
            counts.append(count)
            seen.append([is_admitted(store, key) for key in keys])
        return sum(counts)

    monkeypatch.setattr(Progress, "follow", follow)
    call_command("revoke_sessions", all=True, verbosity=0)
    assert seen == [[False] * 6] * 6
    assert not Session.objects.exists()


def test_a_sites_own_model_has_its_marker_in_its_own_table(alice, settings):
    settings.SESSION_ENGINE = "tests.models"
    keys = [sign_in(AccountStore, alice).session_key for _ in range(2)]
    rows = AccountSession.objects.filter(user__isnull=False)
    batches = begin(AccountStore, rows=rows)
    assert not any(is_admitted(AccountStore, key) for key in keys)
    assert sum(batches) == 1
    assert not AccountSession.objects.exists()
    assert not Session.objects.exists()


def test_no_session_key_has_the_hash_of_the_marker(store, keys):
    batches = begin(store)
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
