"""When a signed-in session was last used, and from where."""

import logging
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import AsyncClient
from django.utils import timezone

from tests import geoip_database
from tests.conftest import CHROME, listening, sign_in
from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.client import columns
from wagtail_user_sessions.models import Session
from wagtail_user_sessions.signals import session_client_changed

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.urls_activity"),
]

COOKIE = django_settings.SESSION_COOKIE_NAME
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1"
)
UNTOUCHED = ("session_data", "version", "expire_date", "key_hash", "signed_in_at")
INTERVAL = timedelta(seconds=61)


class AsyncBrowser(AsyncClient):
    """Django's asynchronous client, from any address."""

    ip = "192.0.2.1"

    def _base_scope(self, **request):
        return {**super()._base_scope(**request), "client": [self.ip, 0]}


@pytest.fixture(autouse=True)
def database(settings, tmp_path):
    settings.GEOIP_PATH = geoip_database.write(tmp_path / "places.mmdb")


@pytest.fixture
def updates(statements):
    """The UPDATE statements of a block, by ``with updates() as made``."""

    class Updates(statements):
        def __len__(self):
            return len(list(iter(self)))

        def __iter__(self):
            return (sql for sql in self.all if sql.startswith("UPDATE"))

    return Updates


@pytest.fixture
def changes():
    """What session_client_changed was sent with."""
    sent = []

    def receive(session, previous, **kwargs):
        sent.append((session, previous))

    session_client_changed.connect(receive)
    yield sent
    session_client_changed.disconnect(receive)


def row():
    return Session.objects.get()


def values(session, names):
    return [getattr(session, name) for name in names]


def pass_an_interval():
    """As if nobody had used any session for an interval."""
    Session.objects.update(last_activity=timezone.now() - INTERVAL)
    cache.clear()
    copies._claims.clear()


def come_from(client, *, ip=None, agent=None):
    client.defaults["REMOTE_ADDR"] = ip or client.defaults["REMOTE_ADDR"]
    client.defaults["HTTP_USER_AGENT"] = agent or CHROME


# Who has facts


def test_a_sign_in_fills_all_facts(browser, alice):
    browser(alice, agent=IPHONE, ip="198.51.100.9")
    assert values(row(), columns.EMPTY) == [
        *("198.51.100.9", IPHONE, "mobile", "Safari", "iOS", "Lisbon", "PT")
    ]
    assert row().last_activity == row().signed_in_at
    assert str(row()) == "Safari on iPhone"


def test_an_asynchronous_sign_in_fills_all_facts(engine, alice):
    client = AsyncBrowser(**{"user-agent": IPHONE})
    client.ip = "198.51.100.9"
    credentials = {"username": "alice", "password": "secret"}
    assert async_to_sync(client.post)("/alogin/", credentials).content == b"yes"
    assert (row().ip, row().browser, row().city) == ("198.51.100.9", "Safari", "Lisbon")


def test_the_row_of_an_anonymous_visitor_carries_no_facts(browser, updates):
    client = browser()
    client.get("/change/")
    pass_an_interval()
    Session.objects.update(last_activity=None)
    come_from(client, ip="198.51.100.9", agent=IPHONE)
    with updates() as made:
        client.get("/read/")
    assert len(made) == 0
    assert columns.is_empty(row())
    assert row().last_activity is None


def test_a_visitor_who_signs_in_gets_facts_and_one_who_signs_out_leaves_none(
    browser, alice
):
    client = browser()
    client.get("/change/")
    before = row()
    client.post("/login/", {"username": "alice", "password": "secret"})
    assert row().pk == before.pk
    assert row().ip == "192.0.2.1"
    client.get("/logout/")
    assert not Session.objects.exists()


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


def test_the_update_touches_neither_data_nor_version_nor_expiry(
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


@pytest.mark.parametrize("engine", ["cached_db"], indirect=True)
def test_a_copy_that_is_stale_causes_no_more_than_one_update_an_interval(
    browser, alice, statements
):
    client = browser(alice)
    # The first load adds an epoch, and the next one a copy.
    client.get("/whoami/")
    Session.objects.update(last_activity=timezone.now() - INTERVAL)
    with statements() as made:
        client.get("/whoami/")
    assert made.verbs == ["SELECT", "UPDATE"]
    with statements() as made:
        for _ in range(5):
            client.get("/whoami/")
    assert made.verbs == []


@pytest.mark.parametrize("engine", ["cached_db"], indirect=True)
def test_a_hit_of_the_cache_costs_no_query_of_sessions(browser, alice, statements):
    client = browser(alice)
    client.get("/whoami/")
    client.get("/whoami/")
    with statements() as made:
        assert client.get("/whoami/").content == b"alice"
    assert made.verbs == []
    assert len(made.all) == 1


@pytest.mark.parametrize("engine", ["cached_db"], indirect=True)
def test_a_changed_client_is_in_the_copy_that_the_next_request_reads(
    browser, alice, updates, monkeypatch
):
    client = browser(alice)
    client.get("/whoami/")
    client.get("/whoami/")
    monkeypatch.setattr(copies, "claim", lambda *_, **__: True)
    come_from(client, ip="198.51.100.9")
    with updates() as made:
        for _ in range(4):
            client.get("/whoami/")
    assert len(made) == 1


# What is no activity


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


def test_after_signing_out_nothing_is_touched(browser, alice, updates):
    client = browser(alice)
    pass_an_interval()
    with updates() as made:
        client.get("/logout/")
        client.get("/whoami/")
    assert len(made) == 0
    assert not Session.objects.exists()


def test_a_session_that_is_revoked_beside_its_page_stays_ended(browser, alice):
    client = browser(alice)
    pass_an_interval()
    assert client.get("/revoked/").content == b"alice"
    assert not Session.objects.exists()


# Another client


@pytest.mark.parametrize(
    ("ip", "agent"),
    [("198.51.100.9", CHROME), ("2001:db8::7", CHROME), ("192.0.2.1", IPHONE)],
)
def test_a_changed_client_is_written_at_once_by_exactly_one_update(
    browser, alice, updates, ip, agent
):
    client = browser(alice)
    client.get("/whoami/")
    come_from(client, ip=ip, agent=agent)
    with updates() as made:
        for _ in range(3):
            client.get("/whoami/")
    assert len(made) == 1
    assert (row().ip, row().user_agent) == (ip, agent)


def test_a_changed_client_gets_its_own_device_and_place(browser, alice):
    client = browser(alice)
    come_from(client, ip="198.51.100.9", agent=IPHONE)
    client.get("/whoami/")
    assert values(row(), ("browser", "os", "city")) == ["Safari", "iOS", "Lisbon"]


def test_a_client_that_alternates_costs_one_further_update_an_interval(
    browser, alice, updates
):
    client = browser(alice)
    with updates() as made:
        for number in range(20):
            ip = "2001:db8::7" if number % 2 else "192.0.2.1"
            come_from(client, ip=ip)
            client.get("/whoami/")
    assert len(made) == 1
    pass_an_interval()
    with updates() as made:
        for number in range(20):
            come_from(client, ip="2001:db8::7" if number % 2 else "192.0.2.1")
            client.get("/whoami/")
    assert len(made) <= 2


def test_a_change_that_is_not_written_costs_no_look_at_its_device_or_place(
    browser, alice, monkeypatch
):
    client = browser(alice)
    come_from(client, ip="198.51.100.9")
    client.get("/whoami/")
    come_from(client, ip="192.0.2.1")
    monkeypatch.delattr(columns, "client_columns")
    assert client.get("/whoami/").content == b"alice"
    assert row().ip == "198.51.100.9"


def test_a_changed_client_is_announced_with_what_was_known_before(
    browser, alice, changes
):
    client = browser(alice)
    before = row()
    come_from(client, ip="198.51.100.9", agent=IPHONE)
    client.get("/whoami/")
    ((session, previous),) = changes
    assert session.pk == before.pk
    assert values(session, columns.EMPTY) == values(row(), columns.EMPTY)
    assert previous == dict(
        zip(columns.EMPTY, values(before, columns.EMPTY), strict=True)
    )


def test_a_sign_in_and_a_visit_by_the_same_client_are_no_change(
    browser, alice, changes
):
    client = browser(alice)
    client.get("/whoami/")
    pass_an_interval()
    client.get("/whoami/")
    assert changes == []


def test_hints_alone_are_no_change(browser, alice, changes, updates):
    client = browser(alice)
    hints = {"sec-ch-ua": '"Brave";v="140"', "sec-ch-ua-platform": '"Linux"'}
    with updates() as made:
        client.get("/whoami/", headers=hints)
    assert (len(made), changes) == (0, [])


def test_another_address_of_the_same_network_is_no_change_when_anonymised(
    browser, alice, changes, updates, settings
):
    settings.WAGTAIL_USER_SESSIONS_IP_STORAGE = "anonymized"
    client = browser(alice)
    come_from(client, ip="192.0.2.200")
    with updates() as made:
        client.get("/whoami/")
    assert (len(made), changes) == (0, [])
    come_from(client, ip="198.51.100.200")
    client.get("/whoami/")
    assert [session.ip for session, _ in changes] == ["198.51.100.0"]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("IP_STORAGE", "anonymized"),
        ("IP_STORAGE", "none"),
        ("USER_AGENT_STORAGE", "families"),
        ("USER_AGENT_STORAGE", "none"),
    ],
)
def test_keeping_less_of_the_same_client_is_written_but_is_no_change(
    browser, alice, changes, settings, setting, value
):
    client = browser(alice)
    before = row()
    setattr(settings, f"WAGTAIL_USER_SESSIONS_{setting}", value)
    client.get("/whoami/")
    assert (row().ip, row().user_agent) != (before.ip, before.user_agent)
    assert changes == []


def test_a_receiver_that_fails_breaks_no_page(browser, alice):
    def fail(**kwargs):
        raise RuntimeError

    with listening(session_client_changed, fail):
        client = browser(alice)
        come_from(client, ip="198.51.100.9")
        assert client.get("/whoami/").content == b"alice"


# Rows that were born outside a request


@pytest.fixture
def born_outside(store, browser, alice):
    """A client with the cookie of a session that no request has made."""
    client = browser()
    client.cookies[COOKIE] = sign_in(store, alice).session_key
    return client


def test_a_row_that_is_born_outside_a_request_has_no_facts(born_outside):
    assert columns.is_empty(row())
    assert row().signed_in_at is not None


def test_a_row_that_was_born_outside_a_request_gets_facts_at_its_first(
    born_outside, changes, updates
):
    with updates() as made:
        for _ in range(3):
            assert born_outside.get("/whoami/").content == b"alice"
    assert len(made) == 1
    assert (row().ip, row().browser, row().city) == ("192.0.2.1", "Chrome", "Zürich")
    assert changes == []


def test_the_first_facts_do_not_count_as_the_change_of_an_interval(
    born_outside, changes
):
    born_outside.get("/whoami/")
    come_from(born_outside, ip="198.51.100.9")
    born_outside.get("/whoami/")
    assert [session.ip for session, _ in changes] == ["198.51.100.9"]


def test_a_store_that_is_saved_outside_a_request_wipes_no_facts(store, browser, alice):
    client = browser(alice)
    before = row()
    session = store(client.cookies[COOKIE].value)
    session["more"] = 1
    session.save()
    assert row().version != before.version
    assert values(row(), columns.EMPTY) == values(before, columns.EMPTY)
    assert row().last_activity == before.last_activity


# Where something fails


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


@pytest.fixture
def asynchronous(browser, alice):
    """An asynchronous client with the cookie of a signed-in browser."""
    cookie = browser(alice).cookies[COOKIE].value
    client = AsyncBrowser(**{"user-agent": CHROME})
    client.cookies[COOKIE] = cookie
    return client


def visit(client):
    assert async_to_sync(client.get)("/awhoami/").content == b"alice"


def test_an_asynchronous_view_is_noted_as_a_synchronous_one_is(asynchronous, updates):
    with updates() as made:
        visit(asynchronous)
    assert len(made) == 0
    pass_an_interval()
    with updates() as made:
        for _ in range(3):
            visit(asynchronous)
    assert len(made) == 1


def test_a_changed_client_of_an_asynchronous_view_is_written_and_announced(
    asynchronous, updates, changes
):
    asynchronous.ip = "198.51.100.9"
    with updates() as made:
        for _ in range(3):
            visit(asynchronous)
    assert len(made) == 1
    assert [session.city for session, _ in changes] == ["Lisbon"]


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
        copies._claims.clear()
    all_updates, heap_only = (
        b - a for a, b in zip(before, count_updates(), strict=True)
    )
    assert all_updates == 300
    assert heap_only >= 0.8 * all_updates
