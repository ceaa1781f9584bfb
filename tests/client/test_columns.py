"""The client columns of a row, as the settings allow them."""

from ipaddress import ip_address

import pytest

from tests import geoip_database
from wagtail_user_sessions.client import columns as client_columns
from wagtail_user_sessions.client import geoip
from wagtail_user_sessions.client.request import Client, ClientHints
from wagtail_user_sessions.models import Session

AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)
BRAVE = ClientHints(brands='"Brave";v="140"', platform='"Windows"', mobile="?0")
CLIENT = Client(ip_address("192.0.2.77"), AGENT)


@pytest.fixture(autouse=True)
def database(settings, tmp_path):
    settings.GEOIP_PATH = geoip_database.write(tmp_path / "places.mmdb")


@pytest.fixture
def keep(settings):
    def keep(**values):
        for name, value in values.items():
            setattr(settings, f"WAGTAIL_USER_SESSIONS_{name}", value)

    return keep


def collected(client=CLIENT, *names):
    columns = client_columns.client_columns(client)
    return tuple(columns[name] for name in names) if names else columns


def test_client_columns_have_all_values_by_default():
    assert collected() == {
        "ip": "192.0.2.77",
        "user_agent": AGENT,
        "device_kind": "desktop",
        "browser": "Chrome",
        "os": "Linux",
        "city": "Zürich",
        "country": "CH",
    }


def test_client_columns_of_an_unknown_client_are_empty():
    assert collected(Client()) == client_columns.EMPTY


# Addresses


@pytest.mark.parametrize(
    ("storage", "ip", "kept"),
    [
        ("full", "192.0.2.77", "192.0.2.77"),
        ("full", "2001:db8:1:2:3::7", "2001:db8:1:2:3::7"),
        ("anonymized", "192.0.2.77", "192.0.2.0"),
        ("anonymized", "2001:db8:1:2:3::7", "2001:db8:1::"),
        ("none", "192.0.2.77", None),
        ("none", "2001:db8:1:2:3::7", None),
    ],
)
def test_an_address_is_kept_in_full_anonymised_or_not_at_all(keep, storage, ip, kept):
    keep(IP_STORAGE=storage)
    assert collected(Client(ip_address(ip)), "ip") == (kept,)


@pytest.mark.parametrize("storage", ["anonymized", "none"])
def test_the_place_is_looked_up_before_the_address_is_anonymised(
    settings, tmp_path, keep, storage
):
    places = {"192.0.2.77/32": ("Bern", "CH"), "192.0.2.0/32": ("Basel", "CH")}
    settings.GEOIP_PATH = geoip_database.write(tmp_path / "exact.mmdb", places=places)
    keep(IP_STORAGE=storage)
    assert collected(CLIENT, "city", "country") == ("Bern", "CH")


def test_without_location_no_database_is_opened(keep, monkeypatch):
    keep(LOCATION=False)
    monkeypatch.delattr(geoip, "_reader")
    assert collected(CLIENT, "ip", "city", "country") == ("192.0.2.77", "", "")


# User agents


def test_storage_of_families_keeps_only_the_families_of_a_user_agent(keep):
    keep(USER_AGENT_STORAGE="families")
    names = ("user_agent", "device_kind", "browser", "os")
    assert collected(CLIENT, *names) == ("Chrome/Linux", "desktop", "Chrome", "Linux")
    assert collected(Client(), "user_agent") == ("",)


def test_storage_none_keeps_nothing_of_a_user_agent(keep):
    keep(USER_AGENT_STORAGE="none")
    names = ("user_agent", "device_kind", "browser", "os")
    hinting = Client(user_agent=AGENT, hints=BRAVE)
    assert collected(hinting, *names) == ("", "unknown", "", "")


# Changes


def row(client=CLIENT):
    return Session(**client_columns.client_columns(client))


def is_changed(client, *, since=CLIENT):
    return client_columns.has_changed(
        row(since), client_columns.identity_columns(client)
    )


STORAGES = [
    (ip, agent)
    for ip in ("full", "anonymized", "none")
    for agent in ("full", "families", "none")
]


@pytest.mark.parametrize(("ip", "agent"), STORAGES)
def test_a_client_never_differs_from_itself(keep, ip, agent):
    keep(IP_STORAGE=ip, USER_AGENT_STORAGE=agent)
    for client in (CLIENT, Client(), Client(user_agent=AGENT, hints=BRAVE)):
        assert not is_changed(client, since=client)


@pytest.mark.parametrize(("ip", "agent"), STORAGES)
def test_hints_alone_are_no_change(keep, ip, agent):
    keep(IP_STORAGE=ip, USER_AGENT_STORAGE=agent)
    assert not is_changed(Client(CLIENT.ip, AGENT, BRAVE))


@pytest.mark.parametrize(
    ("storage", "ip", "expected"),
    [
        ("full", "192.0.2.78", True),
        ("anonymized", "192.0.2.78", False),
        ("anonymized", "192.0.3.77", True),
        ("anonymized", "2001:db8::7", True),
        ("none", "198.51.100.1", False),
    ],
)
def test_another_address_is_a_change_if_it_is_stored_otherwise(
    keep, storage, ip, expected
):
    keep(IP_STORAGE=storage)
    assert is_changed(Client(ip_address(ip), AGENT)) is expected


@pytest.mark.parametrize(
    ("storage", "expected"), [("full", True), ("families", False), ("none", False)]
)
def test_a_new_version_is_a_change_where_the_user_agent_is_kept(
    keep, storage, expected
):
    keep(USER_AGENT_STORAGE=storage)
    updated = Client(CLIENT.ip, AGENT.replace("140", "141"))
    assert is_changed(updated) is expected


def test_a_row_without_a_client_is_empty():
    assert client_columns.is_empty(Session())
    assert client_columns.is_empty(row(Client()))
    assert not client_columns.is_empty(row())


@pytest.mark.django_db
@pytest.mark.parametrize(
    "ip",
    [
        *("192.0.2.1", "0.0.0.0", "::", "::1", "2001:db8::1", "64:ff9b::c000:201"),
        # PostgreSQL writes these with the dots of an IPv4 address.
        *("::c000:201", "::1:2", "::ffff:0:c000:201"),
    ],
)
def test_an_address_that_was_stored_never_differs_from_itself(store_row, ip):
    client = Client(ip_address(ip))
    assert not client_columns.has_changed(
        store_row(client), client_columns.identity_columns(client)
    )


@pytest.fixture
def store_row():
    def store_row(client):
        session = row(client)
        session.key_hash = bytes(32)
        session.expire_date = session.created_at
        session.save()
        return Session.objects.get()

    return store_row
