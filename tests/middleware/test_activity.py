"""The activity write: when a signed-in session was last used."""

import logging

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from tests.backends.stored_sessions import again
from tests.conftest import sign_in
from tests.middleware.clients import COOKIE, IPHONE, come_from, visit_async
from tests.middleware.rows import INTERVAL, pass_an_interval, row, values
from wagtail_user_sessions.backends.request_context import context_of
from wagtail_user_sessions.cache import claims
from wagtail_user_sessions.middleware import activity
from wagtail_user_sessions.models import Session

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.urls_activity"),
    pytest.mark.usefixtures("places"),
]


UNTOUCHED = ("session_data", "version", "expire_date", "key_hash", "signed_in_at")


# The interval


def test_nothing_is_written_within_the_interval(browser, alice, updates):
    client = browser(alice)
    before = row()
    with updates() as made:
        for _ in range(3):
            assert client.get("/whoami/").content == b"alice"
    assert len(made) == 0
    assert row().last_activity == before.last_activity


def test_one_update_is_written_after_the_interval(browser, alice, updates):
    client = browser(alice)
    pass_an_interval()
    started = timezone.now()
    with updates() as made:
        for _ in range(3):
            client.get("/whoami/")
    assert len(made) == 1
    assert row().last_activity >= started


def test_the_update_changes_neither_data_nor_version_nor_expiry(
    browser, alice, updates
):
    client = browser(alice)
    pass_an_interval()
    before = row()
    come_from(client, ip="198.51.100.9", agent=IPHONE)
    with updates() as made:
        client.get("/whoami/")
    (statement,) = made
    assert not any(name in statement.split("WHERE")[0] for name in UNTOUCHED)
    assert values(row(), UNTOUCHED) == values(before, UNTOUCHED)


def test_the_interval_is_a_setting(browser, alice, updates, settings):
    settings.WAGTAIL_USER_SESSIONS_ACTIVITY_INTERVAL = 3600
    client = browser(alice)
    pass_an_interval()
    with updates() as made:
        client.get("/whoami/")
    assert len(made) == 0


def test_of_requests_that_read_the_same_row_the_first_alone_writes_activity(
    store, alice, rf
):
    session = sign_in(store, alice)
    pass_an_interval()
    # As two requests begin at once, and end one after the other.
    requests = [rf.get("/") for _ in range(2)]
    for request in requests:
        request.resolver_match = None
        request.session = again(session)
        request.session.enter(context_of(request))
    written = []
    for request in requests:
        activity.record_activity(request)
        written.append(row().last_activity)
    assert written[0] > timezone.now() - INTERVAL
    assert written[1] == written[0]


def test_a_changed_client_is_in_the_row_that_the_next_request_reads(
    browser, alice, updates, monkeypatch
):
    client = browser(alice)
    # As in other processes, which have no claims of this one.
    monkeypatch.setattr(activity, "claim", lambda name: True)
    come_from(client, ip="198.51.100.9")
    with updates() as made:
        for _ in range(4):
            client.get("/whoami/")
    assert len(made) == 1


# Requests that are no activity


@pytest.mark.parametrize("url", ["/editing/ping/", "/editing/release/"])
def test_wagtails_editing_pings_are_no_activity(browser, alice, updates, url):
    client = browser(alice)
    pass_an_interval()
    come_from(client, ip="198.51.100.9")
    with updates() as made:
        assert client.get(url).content == b"alice"
    assert len(made) == 0


def test_the_urls_that_are_no_activity_are_a_setting(browser, alice, updates, settings):
    settings.WAGTAIL_USER_SESSIONS_ACTIVITY_IGNORE = ["poll"]
    client = browser(alice)
    pass_an_interval()
    with updates() as made:
        client.get("/poll/")
    assert len(made) == 0
    with updates() as made:
        client.get("/editing/ping/")
    assert len(made) == 1


def test_a_page_that_ignores_its_session_is_no_activity(browser, alice, statements):
    client = browser(alice)
    pass_an_interval()
    with statements() as made:
        client.get("/")
    assert made.all == []


def test_an_address_that_leads_to_no_page_reads_no_session(browser, alice, updates):
    client = browser(alice)
    pass_an_interval()
    with updates() as made:
        assert client.get("/nowhere/").status_code == 404
    assert len(made) == 0


def test_after_a_sign_out_no_activity_is_written(browser, alice, updates):
    client = browser(alice)
    pass_an_interval()
    with updates() as made:
        client.get("/logout/")
        client.get("/whoami/")
    assert len(made) == 0
    assert not Session.objects.exists()


def test_a_session_revoked_during_its_request_stays_ended(browser, alice):
    client = browser(alice)
    pass_an_interval()
    assert client.get("/revoked/").content == b"alice"
    assert not Session.objects.exists()


# Errors


def refuse_activity(execute, sql, params, many, context):
    if sql.startswith("UPDATE") and "last_activity" in sql:
        raise OperationalError("the disk is full")
    return execute(sql, params, many, context)


def test_an_error_of_the_database_breaks_no_page(browser, alice, caplog):
    client = browser(alice)
    pass_an_interval()
    with connection.execute_wrapper(refuse_activity), caplog.at_level(logging.ERROR):
        assert client.get("/whoami/").content == b"alice"
    (record,) = (r for r in caplog.records if r.name.endswith("activity"))
    assert client.cookies[COOKIE].value not in record.getMessage()
    assert client.get("/whoami/").content == b"alice"


# Asynchronous views


def test_an_asynchronous_view_writes_activity_as_a_synchronous_one_does(
    asynchronous, updates
):
    with updates() as made:
        visit_async(asynchronous)
    assert len(made) == 0
    pass_an_interval()
    with updates() as made:
        for _ in range(3):
            visit_async(asynchronous)
    assert len(made) == 1


# PostgreSQL


def count_updates():
    """The updates of the table and, of these, the heap-only ones."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables"
            " WHERE relname = %s",
            [Session._meta.db_table],
        )
        return cursor.fetchone()


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="PostgreSQL's own statistics"
)
@pytest.mark.parametrize("engine", ["db"], indirect=True)
def test_the_update_is_heap_only(store, browser, alice):
    client = browser()
    keys = [sign_in(store, alice).session_key for _ in range(100)]
    before = count_updates()
    for number in range(300):
        client.cookies[COOKIE] = keys[number % 100]
        come_from(client, ip=f"192.0.2.{number // 100 + 1}")
        client.get("/whoami/")
        claims._claims.clear()
    all_updates, heap_only = (
        b - a for a, b in zip(before, count_updates(), strict=True)
    )
    assert all_updates == 300
    assert heap_only >= 0.8 * all_updates
