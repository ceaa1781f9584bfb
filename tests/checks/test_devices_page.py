"""Checks of the apps and URLs that the devices page needs."""

import pytest

from tests.checks.messages import run
from wagtail_user_sessions.checks import devices_page


def test_a_site_without_django_htmx_gets_a_warning(monkeypatch):
    monkeypatch.setattr(
        devices_page.apps, "is_installed", lambda name: name != "django_htmx"
    )
    assert "W010" in run()


@pytest.mark.parametrize("url", ["/password/", "https://id.example/", "login", None])
def test_a_password_page_may_be_a_url_or_the_name_of_one(settings, url):
    settings.WAGTAIL_USER_SESSIONS_PASSWORD_CHANGE_URL = url
    assert run() == {}


def test_a_password_page_whose_name_has_no_url_is_an_error(settings):
    settings.WAGTAIL_USER_SESSIONS_PASSWORD_CHANGE_URL = "no_such_name"
    assert run().keys() == {"E013"}
