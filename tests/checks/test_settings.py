"""Checks of the names and values of the package's settings."""

import pytest

from tests.checks.messages import find_address, run
from wagtail_user_sessions.conf import Conf


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("WAGTAIL_USER_SESSIONS_CACHE_MAXAGE", "WAGTAIL_USER_SESSIONS_CACHE_MAX_AGE"),
        ("WAGTAIL_USER_SESSIONS_IPSTORAGE", "WAGTAIL_USER_SESSIONS_IP_STORAGE"),
        ("WAGTAIL_USER_SESSIONS_PROXIES", "WAGTAIL_USER_SESSIONS_TRUSTED_PROXIES"),
    ],
)
def test_an_unknown_setting_is_a_warning_with_the_nearest_name(settings, name, nearest):
    setattr(settings, name, 5)
    messages = run()
    assert messages.keys() == {"W005"}
    assert name in messages["W005"].msg
    assert messages["W005"].hint == f"Did you mean {nearest}?"


def test_an_unknown_setting_without_a_near_name_gets_no_suggestion(settings):
    settings.WAGTAIL_USER_SESSIONS_XYZ = 5
    assert run()["W005"].hint == "Take it out."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CACHE_MAX_AGE", "300"),
        ("CACHE_MAX_AGE", -1),
        ("ANONYMOUS_AGE", 0),
        ("ACTIVITY_INTERVAL", True),
        ("ACTIVITY_IGNORE", "wagtailadmin_editing_sessions:ping"),
        ("TRUSTED_PROXIES", "10.0.0.0/8"),
        ("TRUSTED_PROXIES", [10]),
        ("TRUSTED_PROXIES", None),
        ("CLIENT_IP", find_address),
        ("CLIENT_IP", ""),
        ("IP_STORAGE", "FULL"),
        ("USER_AGENT_STORAGE", ["full"]),
        ("LOCATION", "off"),
    ],
)
def test_a_value_of_the_wrong_kind_is_an_error(settings, name, value):
    setting = Conf.declared()[f"WAGTAIL_USER_SESSIONS_{name}"]
    setattr(settings, setting.name, value)
    messages = run()
    assert messages.keys() == {"E010"}
    assert setting.name in messages["E010"].msg
    assert messages["E010"].hint == f"Set it to {setting.expected}."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CACHE_MAX_AGE", 0),
        ("ANONYMOUS_AGE", 3600),
        ("ACTIVITY_IGNORE", ["poll"]),
        ("TRUSTED_PROXIES", ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "unix"]),
        ("CLIENT_IP", "tests.checks.messages.find_address"),
        ("IP_STORAGE", "anonymized"),
        ("USER_AGENT_STORAGE", "none"),
        ("LOCATION", False),
    ],
)
def test_a_good_value_is_fine(settings, name, value):
    setattr(settings, f"WAGTAIL_USER_SESSIONS_{name}", value)
    assert run() == {}
