"""Checks of the apps and URLs that the devices page needs."""

import sys
from functools import wraps
from types import ModuleType

import pytest
from django.urls import include, path

from tests.checks.messages import run
from wagtail_user_sessions.checks import devices_page
from wagtail_user_sessions.devices_page import views


@pytest.fixture
def without_htmx(monkeypatch):
    is_installed = lambda name: name != "django_htmx"  # noqa: E731
    monkeypatch.setattr(devices_page.apps, "is_installed", is_installed)


@pytest.fixture
def use_urls(settings, monkeypatch):
    def use_urls(*urlpatterns):
        urls = ModuleType("urls_of_ours")
        urls.urlpatterns = list(urlpatterns)
        monkeypatch.setitem(sys.modules, urls.__name__, urls)
        settings.ROOT_URLCONF = urls.__name__

    return use_urls


@wraps(views.device_list)
def own_view(request):
    return views.device_list(request)


APP_URLS = include("wagtail_user_sessions.urls")


@pytest.mark.parametrize(
    "route",
    [
        path("", APP_URLS),
        path("<slug:team>/", include(([path("own/", APP_URLS)], "account"))),
        path("own/", views.device_list),
        path("own/", own_view, name="own"),
        # For the model tests.models.DevicesPage.
        path("", include("wagtail.urls")),
    ],
)
def test_a_devices_page_without_django_htmx_is_a_warning(without_htmx, use_urls, route):
    use_urls(route)
    assert "W010" in run()


def test_a_site_without_a_devices_page_needs_no_htmx(
    without_htmx, use_urls, monkeypatch
):
    admin = path("admin/", include("wagtail.admin.urls"))
    use_urls(admin)
    assert "W010" not in run()
    use_urls()
    assert "W010" not in run()
    use_urls(path("", include("wagtail.urls")))
    monkeypatch.setattr(devices_page.apps, "get_models", lambda: [])
    assert devices_page.check_htmx() == []


def test_urls_that_can_not_be_imported_crash_no_check_of_the_devices_page(
    without_htmx, settings
):
    settings.ROOT_URLCONF = "no.such.urls"
    assert devices_page.check_htmx() == []


@pytest.mark.parametrize("url", ["/password/", "https://id.example/", "login", None])
def test_a_password_page_may_be_a_url_or_the_name_of_one(settings, url):
    settings.WAGTAIL_USER_SESSIONS_PASSWORD_CHANGE_URL = url
    assert run() == {}


def test_a_password_page_whose_name_has_no_url_is_an_error(settings):
    settings.WAGTAIL_USER_SESSIONS_PASSWORD_CHANGE_URL = "no_such_name"
    assert run().keys() == {"E013"}
