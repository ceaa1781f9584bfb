"""Sessions deleted with one statement, and those that can't be."""

import logging

import pytest
from django.contrib.auth import get_user_model
from django.db import Error, OperationalError, connection, models, transaction
from django.db.models import Exists, OuterRef
from django.db.models.signals import post_delete, pre_delete
from django.test.utils import isolate_apps
from wagtail.models import ModelLogEntry

from tests.backends.test_cycle_key import is_signed_in, renew
from tests.conftest import listening, sign_in
from tests.models import AccountSession
from tests.models import SessionStore as AccountStore
from wagtail_user_sessions.models import Reason, Session
from wagtail_user_sessions.sessions import deletion
from wagtail_user_sessions.sessions.end_events import sessions_ended
from wagtail_user_sessions.signals import session_ended
from wagtail_user_sessions.sql import fast_delete
from wagtail_user_sessions.sql.fast_delete import has_delete_side_effects
from wagtail_user_sessions.wagtail_admin import log_actions

pytestmark = pytest.mark.django_db(transaction=True)

LABEL = "wagtail_user_sessions.Session"


@pytest.fixture
def nobody_listens():
    """As on a site without Wagtail's admin, whose log is told of deletions."""
    sessions_ended.disconnect(log_actions.sessions_ended, sender=Session)
    yield
    sessions_ended.connect(log_actions.sessions_ended, sender=Session)


@pytest.fixture
def told():
    """The rows that ``session_ended`` has told of, by their ids."""
    rows = {}

    def listen(session, reason, actor, **kwargs):
        assert session.pk not in rows
        rows[session.pk] = session, reason, actor

    session_ended.connect(listen)
    yield rows
    session_ended.disconnect(listen)


def values_of(row):
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
    }


def by_the_collector(monkeypatch):
    monkeypatch.setattr(fast_delete, "_can_return", lambda connection: False)


def verbs_of(statements, delete):
    with statements() as made:
        delete()
    return made.verbs


def is_one_statement(statements, delete):
    with statements() as made:
        delete()
    return not any(sql.startswith("SELECT") for sql in made.all)


# With one statement


@pytest.mark.usefixtures("nobody_listens")
@pytest.mark.parametrize("number", [1, 20])
def test_rows_are_deleted_with_one_statement(store, alice, statements, number):
    for _ in range(number):
        sign_in(store, alice)
    expected = ["DELETE"]
    if store.keeps_copies:
        # The cache is told before the commit.
        expected = ["BEGIN", "DELETE", "COMMIT"]
    assert verbs_of(statements, alice.session_set.all().revoke) == expected


def test_as_many_statements_log_one_row_as_twenty(store, alice, bob, statements):
    counts = []
    # The first one reads what the log then remembers.
    for number in (1, 1, 20):
        for _ in range(number):
            sign_in(store, alice)
        with statements() as made:
            alice.session_set.all().revoke(by=bob)
        counts.append(len(made.all))
        assert ModelLogEntry.objects.filter(user=bob).count() == number
        ModelLogEntry.objects.all().delete()
    assert counts[1] == counts[2]


@pytest.mark.parametrize("is_heard", [False, True])
def test_rows_of_a_user_whose_key_is_a_text_are_deleted(
    store, alice, is_heard, request
):
    if not is_heard:
        request.getfixturevalue("nobody_listens")
    sessions = [sign_in(store, alice) for _ in range(2)]
    user = get_user_model()(pk=str(alice.pk))
    assert user.session_set.all().revoke() == 2
    assert not any(map(is_signed_in, sessions))


def test_rows_of_a_union_are_deleted(store, alice, bob, told):
    sessions = [sign_in(store, user) for user in (alice, bob)]
    rows = alice.session_set.all() | Session.objects.filter(user=bob)
    assert rows.revoke() == 2
    assert {row.user for row, _, _ in told.values()} == {alice, bob}
    assert not any(map(is_signed_in, sessions))


def read_by(made):
    (sql,) = [sql for sql in made.all if sql.startswith("DELETE")]
    return sql.partition(" RETURNING ")[2]


@pytest.mark.parametrize("is_logged", [False, True])
def test_no_more_is_read_than_somebody_is_told_of(
    store, alice, statements, caplog, is_logged
):
    if is_logged:
        caplog.set_level(logging.INFO, logger="wagtail_user_sessions")
    sign_in(store, alice)
    with statements() as made:
        assert alice.session_set.all().revoke() == 1
    assert bool(read_by(made)) == (is_logged or store.keeps_copies)
    assert "session_data" not in read_by(made)


def test_all_is_read_where_the_log_is_told_of_it(store, alice, bob, statements):
    sign_in(store, alice)
    with statements() as made:
        alice.session_set.all().revoke(by=bob)
    assert "user_agent" in read_by(made)


@pytest.mark.usefixtures("nobody_listens")
def test_what_nobody_listens_to_is_logged(store, alice, caplog):
    caplog.set_level(logging.INFO, logger="wagtail_user_sessions")
    session = sign_in(store, alice)
    pk = session.id
    alice.session_set.all().revoke(reason="lost phone", by=alice)
    assert (
        f"Session {pk} of user {alice.pk} ended: lost phone, by user {alice.pk}"
        in caplog.text
    )


@pytest.mark.usefixtures("nobody_listens")
def test_what_nobody_listens_to_takes_its_copies_along(store, alice):
    sessions = [sign_in(store, alice) for _ in range(3)]
    assert all(map(is_signed_in, sessions * 2))
    assert alice.session_set.all().revoke() == 3
    assert not any(map(is_signed_in, sessions))


@pytest.mark.parametrize("is_collected", [False, True])
def test_rows_are_told_of_as_they_last_were(
    store, alice, bob, told, monkeypatch, is_collected
):
    if is_collected:
        by_the_collector(monkeypatch)
    sessions = [sign_in(store, alice, cart=number) for number in range(3)]
    theirs = sign_in(store, bob)
    before = {row.pk: values_of(row) for row in alice.session_set.all()}
    rows = alice.session_set.defer("session_data").order_by("?")
    assert rows.revoke(by=bob, reason="lost phone") == 3
    assert {pk: values_of(row) for pk, (row, _, _) in told.items()} == before
    assert {entry[1:] for entry in told.values()} == {("lost phone", bob)}
    assert not any(map(is_signed_in, sessions))
    assert is_signed_in(theirs)


@pytest.mark.parametrize("is_collected", [False, True])
def test_a_deletion_answers_as_djangos(store, alice, monkeypatch, is_collected):
    if is_collected:
        by_the_collector(monkeypatch)
    for _ in range(2):
        sign_in(store, alice)
    assert alice.session_set.none().delete() == (0, {})
    assert alice.session_set.filter(name="unknown").delete() == (0, {})
    assert alice.session_set.all().delete() == (2, {LABEL: 2})


@pytest.mark.parametrize("is_collected", [False, True])
def test_the_user_of_a_row_that_has_ended_is_known(
    store, alice, monkeypatch, statements, is_collected
):
    if is_collected:
        by_the_collector(monkeypatch)
    sign_in(store, alice)
    users = []

    def listen(session, **kwargs):
        users.append(session.user)

    with listening(session_ended, listen), statements() as made:
        alice.session_set.all().revoke()
    assert users[0] is alice
    assert not [sql for sql in made.all if "auth_user" in sql]


def test_columns_of_a_sites_own_are_told_of(alice, told, statements):
    sign_in(AccountStore, alice, account_id=7)
    rows = AccountSession.objects.filter(account_id=7)
    assert is_one_statement(statements, rows.revoke)
    ((row, reason, _),) = told.values()
    assert (type(row), row.account_id, reason) == (AccountSession, 7, Reason.REVOKED)


@pytest.mark.usefixtures("told")
def test_a_key_renewed_right_before_the_statement_ends_with_its_row(
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


def test_a_statement_that_was_given_up_is_done_again_and_told_of_once(
    store, alice, told
):
    session = sign_in(store, alice)
    is_signed_in(session)
    given_up = []

    def give_up(execute, sql, *args):
        if sql.startswith("DELETE") and not given_up:
            given_up.append(sql)
            error = OperationalError("deadlock")
            error.__cause__ = Error(1213)
            raise error
        return execute(sql, *args)

    with connection.execute_wrapper(give_up):
        assert alice.session_set.all().revoke() == 1
    assert given_up
    assert len(told) == 1
    assert not is_signed_in(session)


def test_a_statement_that_fails_breaks_the_transaction_that_is_open(store, alice):
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


# Read before


@pytest.mark.parametrize(
    "chosen",
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
def test_rows_that_others_choose_are_read_before(store, alice, bob, chosen, statements):
    sessions = [sign_in(store, alice) for _ in range(2)]
    theirs = sign_in(store, bob)
    rows = chosen(Session.objects.filter(user=alice))
    assert not is_one_statement(statements, rows.delete)
    assert not any(map(is_signed_in, sessions))
    assert is_signed_in(theirs)


@pytest.mark.parametrize("signal", [pre_delete, post_delete])
def test_rows_are_read_before_for_a_receiver_of_the_sites_own(
    store, alice, signal, statements
):
    session = sign_in(store, alice, cart="full")
    rows = alice.session_set.all()
    heard = []

    def listen(instance, origin, **kwargs):
        heard.append((instance.pk, instance.get_decoded()["cart"], type(origin)))

    pk = session.id
    with listening(signal, listen, sender=Session):
        assert not is_one_statement(statements, rows.delete)
    assert heard == [(pk, "full", type(rows))]


@pytest.mark.usefixtures("told")
def test_rows_are_read_before_where_the_database_returns_none(
    store, alice, statements, monkeypatch
):
    by_the_collector(monkeypatch)
    sign_in(store, alice)
    assert not is_one_statement(statements, alice.session_set.all().delete)


@isolate_apps("tests")
def test_a_model_with_parents_or_with_rows_that_go_along_has_followers():
    class ChildSession(AccountSession):
        class Meta:
            app_label = "tests"

    class ProxySession(AccountSession):
        class Meta:
            proxy = True
            app_label = "tests"

    class Note(models.Model):
        session = models.ForeignKey(AccountSession, models.CASCADE)

        class Meta:
            app_label = "tests"

        def __str__(self):
            return "a note"

    assert has_delete_side_effects(ChildSession)
    assert has_delete_side_effects(ProxySession)
    assert not has_delete_side_effects(Note)
