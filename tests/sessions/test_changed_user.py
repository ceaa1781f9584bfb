"""Late writes to a row that has changed its user meanwhile."""

import pytest
from django.db import Error, OperationalError, connection, transaction

from tests.backends.test_cycle_key import again, is_signed_in
from tests.cache.visits import Visit
from tests.conftest import CHROME, listening, set_user
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
    """Sign the session out, and the other user in, as a parallel request does."""
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
    slow.end_reason = Reason.SIGNED_OUT
    slow.flush()
    assert is_signed_in(other)


def test_client_columns_of_the_last_user_dont_pass_to_the_next(session, bob):
    hand_over(session, bob)
    row = Session.objects.get()
    assert (row.user, row.ip, row.user_agent, row.browser) == (bob, None, "", "")


def test_a_late_activity_write_leaves_a_row_alone_that_has_no_user_now(session, rf):
    request = rf.get("/")
    request.resolver_match = None
    request.session = slow = again(session)
    slow.client = Client(ip=parse_ip("198.51.100.7"), user_agent=CHROME)
    hand_over(session, None)
    activity.record_activity(request)
    row = Session.objects.get()
    assert (row.user, row.ip, row.last_activity) == (None, None, None)


def test_a_late_rename_doesnt_name_the_next_users_session(session, bob):
    row = Session.objects.get()
    hand_over(session, bob)
    row.rename("Alice's laptop")
    assert Session.objects.get().name == ""


def test_a_rename_is_repeated_after_a_deadlock(session, cancelled_once):
    with cancelled_once("UPDATE"):
        assert Session.objects.get().rename("Kitchen")
    assert Session.objects.get().name == "Kitchen"


def test_rename_writes_a_row_of_a_replica_to_the_write_database(session):
    row = Session.objects.get()
    row._state.db = "replica"
    row.rename("Kitchen")
    assert Session.objects.get().name == "Kitchen"


def test_clear_after_a_rolled_back_save_replaces_the_data(store):
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


def test_a_rollback_handler_that_fails_is_run_again(session, monkeypatch):
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


def test_a_sign_out_that_is_rolled_back_twice_is_repeated(session):
    ours = again(session)
    with transaction.atomic():
        with transaction.atomic():
            ours.flush()
            transaction.set_rollback(True)
        # The save repeats the flush, which is rolled back again.
        ours["x"] = 1
        ours.save()
        transaction.set_rollback(True)
    assert is_signed_in(session)
    ours.handle_rollbacks()
    assert not is_signed_in(session)


def test_the_request_after_a_rename_reads_the_new_name(session):
    row = Session.objects.get()
    for name in ("Kitchen", "Study"):
        row.rename(name)
        with Visit(session) as visiting:
            visiting.keys()
            assert visiting.row.name == name


def fail(*args, **kwargs):
    raise OperationalError("the server has gone away")


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite has no row locks")
def test_a_merge_retried_after_its_commit_failed_overwrites_no_newer_value(
    session, monkeypatch
):
    ours = again(session)
    change(session, k=1)
    ours["mine"] = 1
    original, failures = connection.commit, []

    def commit():
        if failures:
            return original()
        failures.append(None)
        connection.rollback()
        monkeypatch.undo()
        change(session, k=2)
        original()
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


@pytest.mark.parametrize("is_anonymous", [False, True])
def test_a_late_save_gives_a_row_back_to_the_user_of_its_data(
    session, alice, bob, is_anonymous
):
    Session.objects.update(name="Laptop")
    before = Session.objects.get()
    slow = again(session)
    with connection.cursor() as cursor:
        # By SQL, for the query set refuses to change the user alone.
        cursor.execute(
            f"UPDATE {Session._meta.db_table} SET user_id = %s",
            [None if is_anonymous else bob.pk],
        )
    started = []

    def listen(session, **kwargs):
        started.append(session)

    slow["late"] = 1
    with listening(session_started, listen):
        slow.save()
    row = Session.objects.get()
    assert (row.user, row.get_decoded()["late"]) == (alice, 1)
    assert (row.name, row.ip) == ("Laptop", "192.0.2.1")
    assert row.signed_in_at == before.signed_in_at
    assert started == []
