"""The sign-out of everybody holds from its first moment, however long it takes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.conftest import sign_in
from tests.models import AccountSession
from tests.models import SessionStore as AccountStore
from wagtail_user_sessions import everybody
from wagtail_user_sessions.exceptions import SessionRefused
from wagtail_user_sessions.mass_revocation import MassRevocation
from wagtail_user_sessions.models import Session

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


def begun(store, *, rows=None, until=None, spared=()):
    """A sign-out of everybody of which the first batch has gone."""
    rows = Session.objects.filter(user__isnull=False) if rows is None else rows
    until = until or timezone.now()
    batches = iter(MassRevocation(rows, engine=store, until=until, spared=spared))
    assert next(batches) == 1
    return batches


def test_every_cookie_is_refused_while_most_rows_are_still_there(store, keys):
    batches = begun(store)
    assert Session.objects.filter(user__isnull=False).count() == 5
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


def test_who_signs_in_meanwhile_is_let_in(store, keys, alice):
    batches = begun(store)
    session = sign_in(store, alice)
    assert is_let_in(store, session.session_key)
    batches.close()
    assert is_let_in(store, session.session_key)


def test_visitors_are_left_alone(store, keys):
    session = store()
    session["basket"] = ["pears"]
    session.save()
    for _ in begun(store):
        assert store(session.session_key)["basket"] == ["pears"]
    assert store(session.session_key)["basket"] == ["pears"]


def test_sessions_signed_in_to_later_than_what_is_meant_are_let_in(store, keys):
    long_ago = timezone.now() - timedelta(days=30)
    Session.objects.for_key(keys[0]).update(signed_in_at=long_ago)
    until = timezone.now() - timedelta(days=1)
    rows = Session.objects.filter(signed_in_at__lt=until)
    batches = begun(store, rows=rows, until=until)
    assert [is_let_in(store, key) for key in keys] == [False] + [True] * 5
    assert list(batches) == []


def test_a_session_whose_sign_in_nobody_knows_is_refused(store, keys):
    Session.objects.all().update(signed_in_at=None)
    batches = begun(store)
    assert not any(is_let_in(store, key) for key in keys)
    batches.close()


def test_what_is_broken_off_stays_refused(store, keys):
    begun(store).close()
    assert not any(is_let_in(store, key) for key in keys)
    # As long as any of them would live: the clean-up then removes the mark, too.
    mark = Session.objects.get(key_hash=everybody.KEY_HASH)
    rows = Session.objects.exclude(pk=mark.pk)
    assert mark.expire_date >= max(row.expire_date for row in rows)


def test_the_next_one_ends_what_was_broken_off(store, keys):
    begun(store).close()
    revocation = MassRevocation(
        Session.objects.all(), engine=store, until=timezone.now()
    )
    assert sum(revocation) == 5
    assert not Session.objects.exists()


def test_one_that_ends_leaves_the_mark_of_a_later_one(store, keys):
    first = begun(store)
    second = begun(store, until=timezone.now() + timedelta(seconds=1))
    assert sum(first) == 4
    mark = Session.objects.get()
    assert mark.key_hash == everybody.KEY_HASH
    assert list(second) == []
    assert not Session.objects.exists()


def test_a_late_save_does_not_bring_one_back(store, keys):
    late = [store(key) for key in keys]
    for session in late:
        session["basket"] = ["pears"]
    batches = begun(store)
    (last,) = [session for session in late if not is_refused(session)][-1:]
    assert not is_let_in(store, last.session_key)
    for _ in batches:
        pass
    assert not is_let_in(store, last.session_key)


def is_refused(session):
    try:
        session.save()
    except SessionRefused:
        return True
    return False


def test_the_command_signs_everybody_out_at_once(store, keys, run_slowly):
    seen = run_slowly(lambda: [is_let_in(store, key) for key in keys])
    assert seen == [[False] * 6] * 6
    assert not Session.objects.exists()


@pytest.fixture
def run_slowly(monkeypatch):
    """Runs the command; answers with what is seen after each batch."""
    from django.core.management import call_command

    from wagtail_user_sessions.management.progress import Progress

    def run(look):
        seen = []

        def follow(self, batches):
            return sum(seen.append(look()) or count for count in batches)

        monkeypatch.setattr(Progress, "follow", follow)
        call_command("revoke_sessions", all=True, verbosity=0)
        return seen

    return run


def test_a_model_of_the_sites_own_has_its_mark_in_its_own_table(alice, settings):
    settings.SESSION_ENGINE = "tests.models"
    keys = [sign_in(AccountStore, alice).session_key for _ in range(2)]
    rows = AccountSession.objects.filter(user__isnull=False)
    batches = begun(AccountStore, rows=rows)
    assert not any(is_let_in(AccountStore, key) for key in keys)
    assert sum(batches) == 1
    assert not AccountSession.objects.exists()


def test_no_key_has_the_hash_of_the_mark(store, keys):
    batches = begun(store)
    for key in ("", "\0" * 32, "0" * 64, everybody.KEY_HASH.decode()):
        session = store(key)
        assert (session.load(), session.row) == ({}, None)
    batches.close()
