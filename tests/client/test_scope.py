"""The client of an ASGI scope."""

import pytest

from wagtail_user_sessions.client.scope import from_scope


def scope(client=("192.0.2.1", 5000), *headers):
    return {"type": "websocket", "client": client, "headers": list(headers)}


def test_from_scope_reads_address_user_agent_and_hints():
    client = from_scope(
        scope(
            ("2001:db8::1", 1),
            (b"user-agent", b"Mozilla/5.0"),
            (b"sec-ch-ua-platform", b'"Windows"'),
        )
    )
    assert client.ip_text == "2001:db8::1"
    assert client.user_agent == "Mozilla/5.0"
    assert client.hints.platform == '"Windows"'


def test_from_scope_believes_forwarded_addresses_as_a_request_does(settings):
    forwarded = (
        (b"x-forwarded-for", b"198.51.100.9"),
        (b"x-forwarded-for", b"203.0.113.7"),
    )
    assert from_scope(scope(("192.0.2.1", 1), *forwarded)).ip_text == "192.0.2.1"
    settings.WAGTAIL_USER_SESSIONS_TRUSTED_PROXIES = ["192.0.2.1"]
    assert from_scope(scope(("192.0.2.1", 1), *forwarded)).ip_text == "203.0.113.7"


def test_from_scope_ignores_headers_with_underscores(settings):
    settings.WAGTAIL_USER_SESSIONS_TRUSTED_PROXIES = ["192.0.2.1"]
    header = (b"x_forwarded_for", b"203.0.113.7")
    assert from_scope(scope(("192.0.2.1", 1), header)).ip_text == "192.0.2.1"


@pytest.mark.parametrize("client", [None, [], ("", 0), ("not an address", 0)])
def test_from_scope_without_an_address_returns_none_for_it(client):
    assert from_scope(scope(client)).ip is None


def test_from_scope_accepts_a_scope_without_anything():
    found = from_scope({})
    assert (found.ip, found.user_agent) == (None, "")


def test_from_scope_accepts_any_bytes():
    found = from_scope(scope(("192.0.2.1", 1), (b"user-agent", b"\xff\x00\xfe" * 999)))
    assert "\x00" not in found.user_agent
