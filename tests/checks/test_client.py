"""Checks of the settings that find the address of a client."""

import pytest

from tests.checks.messages import run


@pytest.mark.parametrize(
    "path",
    ["no.such.function", "nothing", "tests.checks.messages.missing"],
)
def test_a_client_ip_function_that_cant_be_imported_is_an_error(settings, path):
    settings.WAGTAIL_USER_SESSIONS_CLIENT_IP = path
    assert run().keys() == {"E011"}


def test_a_client_ip_that_is_no_function_is_an_error(settings):
    settings.WAGTAIL_USER_SESSIONS_CLIENT_IP = "tests.checks.messages.CACHED_DB"
    assert run().keys() == {"E011"}


def test_trusted_proxies_beside_a_client_ip_function_are_a_warning(settings):
    settings.WAGTAIL_USER_SESSIONS_CLIENT_IP = "tests.checks.messages.find_address"
    settings.WAGTAIL_USER_SESSIONS_TRUSTED_PROXIES = ["10.0.0.0/8"]
    messages = run()
    assert messages.keys() == {"W006"}
    assert "SESSIONS_TRUSTED_PROXIES is ignored" in messages["W006"].msg


@pytest.mark.parametrize("entry", ["proxy.example.com", "10.0.0.0/33", "", "*", "UNIX"])
def test_a_trusted_proxy_that_is_no_network_is_an_error(settings, entry):
    settings.WAGTAIL_USER_SESSIONS_TRUSTED_PROXIES = ["10.0.0.0/8", entry]
    messages = run()
    assert messages.keys() == {"E012"}
    assert repr(entry) in messages["E012"].msg


@pytest.mark.parametrize("entry", ["0.0.0.0/0", "::/0", "10.0.0.0/0"])
def test_trusting_everybody_is_a_warning(settings, entry):
    settings.WAGTAIL_USER_SESSIONS_TRUSTED_PROXIES = [entry]
    assert run().keys() == {"W007"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECURE_PROXY_SSL_HEADER", ("HTTP_X_FORWARDED_PROTO", "https")),
        ("USE_X_FORWARDED_HOST", True),
        ("USE_X_FORWARDED_PORT", True),
    ],
)
def test_a_site_behind_a_proxy_that_names_none_is_a_warning(settings, name, value):
    setattr(settings, name, value)
    messages = run()
    assert messages.keys() == {"W018"}
    assert name in messages["W018"].msg
    settings.WAGTAIL_USER_SESSIONS_TRUSTED_PROXIES = ["10.0.0.0/8"]
    assert run() == {}


def test_a_site_behind_a_proxy_that_stores_no_addresses_is_fine(settings):
    settings.USE_X_FORWARDED_HOST = True
    settings.WAGTAIL_USER_SESSIONS_IP_STORAGE = "none"
    assert run() == {}
