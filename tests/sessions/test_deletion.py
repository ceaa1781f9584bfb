"""Deletion with one statement, and by Django's collector where that isn't enough."""

import logging

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError, connection, transaction
from django.db.models import Exists, OuterRef
from django.db.models.signals import post_delete, pre_delete
from wagtail.models import ModelLogEntry

from tests.backends.stored_sessions import values_of
from tests.backends.test_cycle_key import is_signed_in, renew
from tests.cache.visits import visit
from tests.conftest import listening, sign_in
from tests.models import AccountSession
from tests.models import SessionStore as AccountStore
from wagtail_user_sessions.models import Reason, Session
from wagtail_user_sessions.sessions import deletion
from wagtail_user_sessions.sessions.end_events import sessions_ended
from wagtail_user_sessions.signals import session_ended
from wagtail_user_sessions.sql import fast_delete
from wagtail_user_sessions.wagtail_admin import log_actions

pytestmark = pytest.mark.django_db(transaction=True)

LABEL = "wagtail_user_sessions.Session"


@pytest.fixture
def without_listeners():
    """Disconnects the admin's log, as on a site without Wagtail's admin."""
    sessions_ended.disconnect(log_actions.sessions_ended, sender=Session)
    yield
    sessions_ended.connect(log_actions.sessions_ended, sender=Session)


@pytest.fixture
def ended_rows():
    """The rows that ``session_ended`` was sent for, by their ids."""
    rows = {}

    def listen(session, reason, actor, **kwargs):
        assert session.pk not in rows
        rows[session.pk] = session, reason, actor

    session_ended.connect(listen)
    yield rows
    session_ended.disconnect(listen)


def disable_returning(monkeypatch):
    """Make Django's collector delete the rows, as on a database without RETURNING."""
    monkeypatch.setattr(fast_delete, "_can_return", lambda connection: False)


def verbs_of(statements, delete):
    with statements() as made:
        delete()
    return made.verbs


def deletes_without_reading(statements, delete):
    with statements() as made:
        delete()
    return not any(sql.startswith("SELECT") for sql in made.all)


# With one statement


@pytest.mark.usefixtures("without_listeners")
@pytest.mark.parametrize("number", [1, 20])
def test_a_deletion_without_listeners_is_one_statement(
    store, alice, statements, number
):
    for _ in range(number):
        sign_in(store, alice)
    assert verbs_of(statements, alice.session_set.all().revoke) == ["DELETE"]


def test_logging_twenty_rows_takes_as_many_statements_as_one(
    store, alice, bob, statements
):
    counts = []
    # The first log entry fills caches, such as that of content types.
    for number in (1, 1, 20):
        for _ in range(number):
            sign_in(store, alice)
        with statements() as made:
            alice.session_set.all().revoke(by=bob)
        counts.append(len(made.all))
        assert ModelLogEntry.objects.filter(user=bob).count() == number
        ModelLogEntry.objects.all().delete()
    assert counts[1] == counts[2]


@pytest.mark.parametrize("is_observed", [False, True])
def test_delete_accepts_a_user_whose_primary_key_is_text(
    store, alice, is_observed, request
):
    if not is_observed:
        request.getfixturevalue("without_listeners")
    sessions = [sign_in(store, alice) for _ in range(2)]
    user = get_user_model()(pk=str(alice.pk))
    assert user.session_set.all().revoke() == 2
    assert not any(map(is_signed_in, sessions))


def test_rows_of_a_union_are_deleted(store, alice, bob, ended_rows):
    sessions = [sign_in(store, user) for user in (alice, bob)]
    rows = alice.session_set.all() | Session.objects.filter(user=bob)
    assert rows.revoke() == 2
    assert {row.user for row, _, _ in ended_rows.values()} == {alice, bob}
    assert not any(map(is_signed_in, sessions))


def columns_returned_by(made):
    (sql,) = [sql for sql in made.all if sql.startswith("DELETE")]
    return sql.partition(" RETURNING ")[2]


@pytest.mark.parametrize("is_logged", [False, True])
def test_delete_returns_only_the_columns_that_observers_need(
    store, alice, statements, caplog, is_logged
):
    if is_logged:
        caplog.set_level(logging.INFO, logger="wagtail_user_sessions")
    sign_in(store, alice)
    with statements() as made:
        assert alice.session_set.all().revoke() == 1
    assert bool(columns_returned_by(made)) == (is_logged or store.keeps_copies)
    assert "session_data" not in columns_returned_by(made)


def test_delete_returns_full_rows_for_the_admin_log(store, alice, bob, statements):
    sign_in(store, alice)
    with statements() as made:
        alice.session_set.all().revoke(by=bob)
    assert "user_agent" in columns_returned_by(made)


@pytest.mark.usefixtures("without_listeners")
def test_a_deletion_without_listeners_is_logged(store, alice, caplog):
    caplog.set_level(logging.INFO, logger="wagtail_user_sessions")
    session = sign_in(store, alice)
    pk = session.id
    alice.session_set.all().revoke(reason="lost phone", by=alice)
    assert (
        f"Session {pk} of user {alice.pk} ended: lost phone, by user {alice.pk}"
        in caplog.text
    )


@pytest.mark.usefixtures("without_listeners")
def test_a_deletion_without_listeners_removes_copies_of_visitors_rows(store, alice):
    signed_in = sign_in(store, alice)
    sessions = [store() for _ in range(3)]
    for session in sessions:
        session["value"] = 1
        session.save()
    assert [visit(session) for session in sessions * 3] == [1] * 9
    assert Session.objects.filter(user=None).revoke() == 3
    assert [visit(session) for session in sessions] == [None] * 3
    assert is_signed_in(signed_in)


@pytest.mark.parametrize("is_collected", [False, True])
def test_session_ended_gets_rows_as_they_last_were(
    store, alice, bob, ended_rows, monkeypatch, is_collected
):
    if is_collected:
        disable_returning(monkeypatch)
    sessions = [sign_in(store, alice, cart=number) for number in range(3)]
    theirs = sign_in(store, bob)
    before = {row.pk: values_of(row) for row in alice.session_set.all()}
    rows = alice.session_set.defer("session_data").order_by("?")
    assert rows.revoke(by=bob, reason="lost phone") == 3
    assert {pk: values_of(row) for pk, (row, _, _) in ended_rows.items()} == before
    assert {entry[1:] for entry in ended_rows.values()} == {("lost phone", bob)}
    assert not any(map(is_signed_in, sessions))
    assert is_signed_in(theirs)


@pytest.mark.parametrize("is_collected", [False, True])
def test_delete_returns_the_counts_of_djangos_delete(
    store, alice, monkeypatch, is_collected
):
    if is_collected:
        disable_returning(monkeypatch)
    for _ in range(2):
        sign_in(store, alice)
    assert alice.session_set.none().delete() == (0, {})
    assert alice.session_set.filter(name="unknown").delete() == (0, {})
    assert alice.session_set.all().delete() == (2, {LABEL: 2})


@pytest.mark.parametrize("is_collected", [False, True])
def test_an_ended_row_has_its_user_without_a_query(
    store, alice, monkeypatch, statements, is_collected
):
    if is_collected:
        disable_returning(monkeypatch)
    sign_in(store, alice)
    users = []

    def listen(session, **kwargs):
        users.append(session.user)

    with listening(session_ended, listen), statements() as made:
        alice.session_set.all().revoke()
    assert users[0] is alice
    assert not [sql for sql in made.all if "auth_user" in sql]


def test_session_ended_gets_the_columns_of_a_sites_own_model(
    alice, ended_rows, statements
):
    sign_in(AccountStore, alice, account_id=7)
    rows = AccountSession.objects.filter(account_id=7)
    assert deletes_without_reading(statements, rows.revoke)
    ((row, reason, _),) = ended_rows.values()
    assert (type(row), row.account_id, reason) == (AccountSession, 7, Reason.REVOKED)


@pytest.mark.usefixtures("ended_rows")
def test_a_key_renewed_right_before_the_delete_statement_is_refused(
    store, alice, monkeypatch
):
    session = sign_in(store, alice)
    is_signed_in(session)
    renewed = []
    real = deletion._before_commit

    def renewing(rows, **how):
        renewed.append(renew(session))
        return real(rows, **how)

    monkeypatch.setattr(deletion, "_before_commit", renewing)
    assert alice.session_set.all().revoke() == 1
    assert not is_signed_in(renewed[0])


@pytest.mark.parametrize(
    "delete",
    [
        lambda row: type(row).objects.filter(pk=row.pk).revoke(),
        lambda row: type(row).objects.filter(pk=row.pk).delete(),
        lambda row: row.user.session_set.all().delete(),
        lambda row: row.revoke(),
        lambda row: row.delete(),
    ],
)
def test_a_delete_is_repeated_after_a_deadlock_and_published_once(
    store, alice, ended_rows, delete, cancelled_once
):
    session = sign_in(store, alice)
    is_signed_in(session)
    with cancelled_once("DELETE"):
        delete(Session.objects.get())
    assert len(ended_rows) == 1
    assert not is_signed_in(session)


def test_with_autocommit_off_a_delete_is_not_repeated(store, alice, cancelled_once):
    sign_in(store, alice)
    connection.set_autocommit(False)
    try:
        # The database has rolled back what the site did before, too.
        with cancelled_once("DELETE"), pytest.raises(OperationalError):
            alice.session_set.all().delete()
        connection.rollback()
    finally:
        connection.set_autocommit(True)
    assert alice.session_set.count() == 1


def test_a_failed_delete_statement_breaks_the_open_transaction(store, alice):
    sign_in(store, alice)

    def fail(execute, sql, *args):
        if sql.startswith("DELETE"):
            raise OperationalError
        return execute(sql, *args)

    with transaction.atomic():
        with connection.execute_wrapper(fail), pytest.raises(OperationalError):
            alice.session_set.all().delete()
        assert transaction.get_rollback()
        transaction.set_rollback(True)
    assert alice.session_set.count() == 1


# With Django's collector


@pytest.mark.parametrize(
    "select",
    [
        lambda rows: rows.filter(user__username="alice"),
        lambda rows: rows.exclude(user__username="bob"),
        lambda rows: rows.filter(user__username="alice").distinct(),
        lambda rows: rows.filter(pk__in=Session.objects.filter(name="").values("pk")),
        lambda rows: rows.filter(
            Exists(get_user_model().objects.filter(pk=OuterRef("user_id")))
        ),
        pytest.param(
            lambda rows: rows.extra(
                tables=["auth_user"], where=["auth_user.username = 'alice'"]
            ),
            marks=pytest.mark.skipif(
                "connection.vendor == 'sqlite'", reason="its UPDATE has one table"
            ),
        ),
    ],
)
def test_rows_selected_by_other_tables_are_read_before_their_deletion(
    store, alice, bob, select, statements
):
    sessions = [sign_in(store, alice) for _ in range(2)]
    theirs = sign_in(store, bob)
    rows = select(Session.objects.filter(user=alice))
    assert not deletes_without_reading(statements, rows.delete)
    assert not any(map(is_signed_in, sessions))
    assert is_signed_in(theirs)


@pytest.mark.parametrize("signal", [pre_delete, post_delete])
def test_rows_are_read_before_their_deletion_for_a_sites_own_receiver(
    store, alice, signal, statements
):
    session = sign_in(store, alice, cart="full")
    rows = alice.session_set.all()
    heard = []

    def listen(instance, origin, **kwargs):
        heard.append((instance.pk, instance.get_decoded()["cart"], type(origin)))

    pk = session.id
    with listening(signal, listen, sender=Session):
        assert not deletes_without_reading(statements, rows.delete)
    assert heard == [(pk, "full", type(rows))]


@pytest.mark.usefixtures("ended_rows")
def test_rows_are_read_before_their_deletion_without_returning(
    store, alice, statements, monkeypatch
):
    disable_returning(monkeypatch)
    sign_in(store, alice)
    assert not deletes_without_reading(statements, alice.session_set.all().delete)
