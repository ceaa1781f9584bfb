"""The client columns of a row: at sign-in, and when the client changes."""

import pytest
from asgiref.sync import async_to_sync

from tests.conftest import CHROME, listening, sign_in
from tests.middleware.clients import (
    COOKIE,
    IPHONE,
    AsyncBrowser,
    come_from,
    visit_async,
)
from tests.middleware.rows import pass_an_interval, row, values
from wagtail_user_sessions.client import columns
from wagtail_user_sessions.middleware import activity
from wagtail_user_sessions.models import Session
from wagtail_user_sessions.signals import session_client_changed

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.urls_activity"),
    pytest.mark.usefixtures("places"),
]


# Sign-ins and visitors


def test_a_sign_in_fills_all_client_columns(browser, alice):
    browser(alice, agent=IPHONE, ip="198.51.100.9")
    assert values(row(), columns.EMPTY) == [
        *("198.51.100.9", IPHONE, "mobile", "Safari", "iOS", "Lisbon", "PT")
    ]
    assert row().last_activity == row().signed_in_at
    assert str(row()) == "Safari on iPhone"


def test_an_asynchronous_sign_in_fills_all_client_columns(engine, alice):
    client = AsyncBrowser(**{"user-agent": IPHONE})
    client.ip = "198.51.100.9"
    credentials = {"username": "alice", "password": "secret"}
    assert async_to_sync(client.post)("/alogin/", credentials).content == b"yes"
    assert (row().ip, row().browser, row().city) == ("198.51.100.9", "Safari", "Lisbon")


def test_the_row_of_an_anonymous_visitor_has_empty_client_columns(browser, updates):
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


def test_sign_in_of_a_visitor_fills_the_client_columns_and_sign_out_deletes_the_row(
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


def test_a_client_with_alternating_addresses_costs_one_more_update_an_interval(
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


def test_a_change_that_is_not_written_parses_no_user_agent_and_opens_no_geoip(
    browser, alice, monkeypatch
):
    client = browser(alice)
    come_from(client, ip="198.51.100.9")
    client.get("/whoami/")
    come_from(client, ip="192.0.2.1")
    monkeypatch.delattr(activity, "changed_columns")
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


def test_a_sign_in_and_a_request_by_the_same_client_are_no_change(
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
def test_storing_less_of_the_same_client_is_written_but_not_announced(
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


# Rows that were inserted outside a request


@pytest.fixture
def client_without_columns(store, browser, alice):
    """A client with the cookie of a session that no request has made."""
    client = browser()
    client.cookies[COOKIE] = sign_in(store, alice).session_key
    return client


def test_a_row_inserted_outside_a_request_has_empty_client_columns(
    client_without_columns,
):
    assert columns.is_empty(row())
    assert row().signed_in_at is not None


def test_a_row_inserted_outside_a_request_gets_client_columns_at_its_first_request(
    client_without_columns, changes, updates
):
    with updates() as made:
        for _ in range(3):
            assert client_without_columns.get("/whoami/").content == b"alice"
    assert len(made) == 1
    assert (row().ip, row().browser, row().city) == ("192.0.2.1", "Chrome", "Zürich")
    assert changes == []


def test_the_first_client_columns_do_not_count_as_the_change_of_an_interval(
    client_without_columns, changes
):
    client_without_columns.get("/whoami/")
    come_from(client_without_columns, ip="198.51.100.9")
    client_without_columns.get("/whoami/")
    assert [session.ip for session, _ in changes] == ["198.51.100.9"]


def test_save_outside_a_request_keeps_the_client_columns(store, browser, alice):
    client = browser(alice)
    before = row()
    session = store(client.cookies[COOKIE].value)
    session["more"] = 1
    session.save()
    assert row().version != before.version
    assert values(row(), columns.EMPTY) == values(before, columns.EMPTY)
    assert row().last_activity == before.last_activity


# Asynchronous views


def test_a_changed_client_of_an_asynchronous_view_is_written_and_announced(
    asynchronous, updates, changes
):
    asynchronous.ip = "198.51.100.9"
    with updates() as made:
        for _ in range(3):
            visit_async(asynchronous)
    assert len(made) == 1
    assert [session.city for session, _ in changes] == ["Lisbon"]
