"""Rows that another user gets meanwhile, and writes that were meant for the first."""

import pytest
from django.db import Error, OperationalError, connection, transaction

from tests.backends.test_cycle_key import again, is_signed_in
from tests.conftest import CHROME, listening, set_user
from wagtail_user_sessions.backends.db import SessionStore as DBStore
from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.client.ip_address import parse_ip
from wagtail_user_sessions.client.request import Client
from wagtail_user_sessions.exceptions import SessionRefused
from wagtail_user_sessions.middleware import activity
from wagtail_user_sessions.models import Reason, Session
from wagtail_user_sessions.signals import session_started

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def session(store, alice):
    session = store()
    session.client = Client(ip=parse_ip("192.0.2.1"), user_agent=CHROME)
    set_user(session, alice)
    session.save()
    return session


def hand_over(session, user):
    """What a request beside this one does: sign out here, and another one in."""
    other = again(session)
    other.clear()
    if user is not None:
        set_user(other, user)
    other.save()
    return other


def test_a_late_sign_out_doesnt_end_the_next_users_session(session, bob):
    slow = again(session)
    other = hand_over(session, bob)
    other.cycle_key()
    other.save()
    slow.ending_reason = Reason.SIGNED_OUT
    slow.flush()
    assert is_signed_in(other)


def test_facts_of_the_last_client_dont_pass_to_the_next_user(session, bob):
    hand_over(session, bob)
    row = Session.objects.get()
    assert (row.user, row.ip, row.user_agent, row.browser) == (bob, None, "", "")


def test_late_activity_leaves_the_row_alone_that_is_nobodys_now(session, rf):
    request = rf.get("/")
    request.resolver_match = None
    request.session = slow = again(session)
    slow.client = Client(ip=parse_ip("198.51.100.7"), user_agent=CHROME)
    hand_over(session, None)
    activity.record_activity(request)
    row = Session.objects.get()
    assert (row.user, row.ip, row.last_activity) == (None, None, None)


def test_a_late_name_doesnt_pass_to_the_next_user(session, bob):
    row = Session.objects.get()
    hand_over(session, bob)
    row.rename("Alice's laptop")
    assert Session.objects.get().name == ""


def test_a_row_that_was_read_from_a_replica_is_renamed_where_it_is_written(session):
    row = Session.objects.get()
    row._state.db = "replica"
    row.rename("Kitchen")
    assert Session.objects.get().name == "Kitchen"


def test_a_name_that_is_rolled_back_stays_in_no_copy(session):
    again(session)
    row = Session.objects.get()
    with transaction.atomic():
        row.rename("never")
        again(session)
        transaction.set_rollback(True)
    again(session)
    assert again(session).row.name == ""


def test_what_is_cleared_after_a_save_was_rolled_back_is_replaced(store):
    session = store()
    session["visitor"] = 1
    session.save()
    ours = again(session)
    with transaction.atomic():
        ours["ours"] = 1
        ours.save()
        transaction.set_rollback(True)
    theirs = again(session)
    theirs["theirs"] = 1
    theirs.save()
    ours.clear()
    ours["cleared"] = 1
    ours.save()
    assert dict(again(session).items()) == {"cleared": 1}


def test_a_repair_that_fails_is_tried_again(session, monkeypatch):
    ours = again(session)
    with transaction.atomic():
        ours.flush()
        transaction.set_rollback(True)
    with monkeypatch.context() as patched:
        patched.setattr(type(ours), "_delete", fail)
        with pytest.raises(SessionRefused):
            ours.handle_rollbacks()
    assert is_signed_in(session)
    ours.handle_rollbacks()
    assert not is_signed_in(session)


def test_a_sign_out_that_is_rolled_back_twice_is_a_sign_out(session):
    ours = again(session)
    with transaction.atomic():
        with transaction.atomic():
            ours.flush()
            transaction.set_rollback(True)
        # It is repeated here, and rolled back again.
        ours["x"] = 1
        ours.save()
        transaction.set_rollback(True)
    assert is_signed_in(session)
    ours.handle_rollbacks()
    assert not is_signed_in(session)


@pytest.mark.parametrize("engine", ["cached_db"], indirect=True)
def test_who_has_read_before_a_renaming_makes_no_copy_that_is_believed(
    session, monkeypatch
):
    again(session)
    row = Session.objects.get()
    ordinary = DBStore._fetch

    def renaming(self):
        found = ordinary(self)
        if row.name == "":
            row.rename("Kitchen")
        return found

    copies.purge_changed(row.key_hash)
    monkeypatch.setattr(DBStore, "_fetch", renaming)
    assert again(session).row.name == ""
    again(session)
    assert again(session).row.name == "Kitchen"


def fail(*args, **kwargs):
    raise OperationalError("the server has gone away")


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite has no row locks")
def test_a_merge_whose_commit_was_given_up_takes_nothing_for_its_own(
    session, monkeypatch
):
    ours = again(session)
    change(session, k=1)
    ours["mine"] = 1
    ordinary, failures = connection.commit, []

    def commit():
        if failures:
            return ordinary()
        failures.append(None)
        connection.rollback()
        monkeypatch.undo()
        change(session, k=2)
        ordinary()
        error = OperationalError("given up")
        error.__cause__ = Error(1213)
        raise error

    monkeypatch.setattr(connection, "commit", commit)
    ours.save()
    merged = again(session)
    assert failures
    assert (merged["k"], merged["mine"]) == (2, 1)


def change(session, **data):
    other = again(session)
    other.update(data)
    other.save()


def test_a_late_revocation_doesnt_end_the_next_users_session(session, alice, bob):
    row = Session.objects.get()
    hand_over(session, bob)
    assert row.revoke(by=alice) == 0
    assert bob.session_set.count() == 1


@pytest.mark.parametrize("is_nobodys", [False, True])
def test_a_late_save_gives_a_row_back_to_the_user_of_its_data(
    session, alice, bob, is_nobodys
):
    Session.objects.update(name="Laptop")
    before = Session.objects.get()
    if session.keeps_copies:
        copies.purge_changed(before.key_hash)
    slow = again(session)
    with connection.cursor() as cursor:
        # Past the query set, which refuses it.
        cursor.execute(
            f"UPDATE {Session._meta.db_table} SET user_id = %s",
            [None if is_nobodys else bob.pk],
        )
    started = []

    def note(session, **kwargs):
        started.append(session)

    slow["late"] = 1
    with listening(session_started, note):
        slow.save()
    row = Session.objects.get()
    assert (row.user, row.get_decoded()["late"]) == (alice, 1)
    assert (row.name, row.ip) == ("Laptop", "192.0.2.1")
    assert row.signed_in_at == before.signed_in_at
    assert started == []
