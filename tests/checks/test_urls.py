"""Check of the place of the devices page among the site's URLs."""

import re
import sys
from functools import wraps
from pathlib import Path
from types import ModuleType

import pytest
from django.conf import global_settings
from django.conf.urls.i18n import i18n_patterns
from django.db import OperationalError
from django.http import HttpResponse
from django.urls import (
    clear_url_caches,
    converters,
    include,
    path,
    re_path,
    set_script_prefix,
)
from django.utils.translation import gettext_lazy
from wagtail import urls as wagtail_urls

from tests.checks.messages import run
from wagtail_user_sessions.checks import urls

URLS = "wagtail_user_sessions.urls"
DEVICES = path("account/devices/", include(URLS))
WAGTAIL = path("", include(wagtail_urls))


def page(request, *args, **kwargs):
    return HttpResponse("A page of the site's own")


@pytest.fixture
def serve(settings, monkeypatch):
    """Return a function that makes the patterns those of a URL conf of the site."""

    def serve(*patterns, name="tests.checks.urls_of_a_site"):
        module = ModuleType(name)
        module.urlpatterns = list(patterns)
        monkeypatch.setitem(sys.modules, name, module)
        clear_url_caches()
        return name

    def serve_root(*patterns):
        settings.ROOT_URLCONF = serve(*patterns)

    serve_root.other = serve
    yield serve_root
    clear_url_caches()


@pytest.mark.parametrize(
    "patterns",
    [
        [DEVICES, WAGTAIL],
        [WAGTAIL],
        [],
        [path("<slug:team>/devices/", include(URLS)), WAGTAIL],
        [*i18n_patterns(DEVICES, WAGTAIL)],
        [*i18n_patterns(DEVICES, prefix_default_language=False), WAGTAIL],
        [path("devices/", include(URLS, namespace="staff")), WAGTAIL],
        [path("", include(([DEVICES], "account"))), WAGTAIL],
        [re_path("^(?!account/).*$", page), DEVICES],
    ],
)
def test_a_page_that_is_reached_or_has_no_url_is_right(serve, patterns):
    serve(*patterns)
    assert "W016" not in run()


@pytest.mark.parametrize(
    ("patterns", "url", "view"),
    [
        ([WAGTAIL, DEVICES], "/account/devices/", "wagtail.views.serve"),
        ([path("<path:rest>", page), DEVICES], "/account/devices/", "test_urls.page"),
        ([re_path("^account/", page), DEVICES], "/account/devices/", "test_urls.page"),
        (
            [WAGTAIL, path("devices/", include(URLS, namespace="staff"))],
            "/devices/",
            "wagtail.views.serve",
        ),
        (
            [WAGTAIL, path("", include(([DEVICES], "account")))],
            "/account/devices/",
            "wagtail.views.serve",
        ),
        (
            # One that is reached, and one that isn't.
            [
                path("d/", include(URLS, namespace="one")),
                WAGTAIL,
                path("e/", include(URLS, namespace="two")),
            ],
            "/e/",
            "wagtail.views.serve",
        ),
        (
            [*i18n_patterns(WAGTAIL, DEVICES)],
            "/de/account/devices/",
            "wagtail.views.serve",
        ),
        (
            # The language that has no prefix.
            [WAGTAIL, *i18n_patterns(DEVICES, prefix_default_language=False)],
            "/account/devices/",
            "wagtail.views.serve",
        ),
        (
            [WAGTAIL, path(gettext_lazy("devices/"), include(URLS))],
            "/devices/",
            "wagtail.views.serve",
        ),
    ],
)
def test_a_page_behind_a_pattern_that_takes_its_url_gets_a_warning(
    serve, settings, patterns, url, view
):
    settings.LANGUAGES = [("de", "Deutsch"), ("en-us", "English")]
    serve(*patterns)
    message = run()["W016"].msg
    assert f"{url} leads to " in message
    assert message.endswith(f"{view}.")


def test_a_view_of_the_page_may_be_decorated(serve, monkeypatch):
    from wagtail_user_sessions import urls
    from wagtail_user_sessions.devices_page import views

    @wraps(views.device_list)
    def decorated(request):
        return views.device_list(request)

    patterns = [path("", decorated, name="device_list")]
    here = path("devices/", include((patterns, urls.app_name)))
    serve(here, WAGTAIL)
    assert "W016" not in run()
    serve(WAGTAIL, here)
    assert "W016" in run()


def test_the_url_confs_of_tenants_are_checked(serve, settings):
    serve(DEVICES, WAGTAIL)
    assert "W016" not in run()
    settings.PUBLIC_SCHEMA_URLCONF = serve.other(WAGTAIL, DEVICES, name="tests.public")
    assert "W016" in run()


def test_a_site_below_a_path_of_its_server_is_right(serve):
    serve(DEVICES, WAGTAIL)
    set_script_prefix("/site/")
    try:
        assert "W016" not in run()
    finally:
        set_script_prefix("/")


@pytest.mark.parametrize("page", ["README.md", "docs/install.md"])
def test_the_documentation_puts_the_page_before_wagtails_pages(page):
    text = Path(__file__).parents[2].joinpath(page).read_text()
    first, _, last = text.partition('include("wagtail_user_sessions.urls")')
    wagtails = re.compile(r'include\((wagtail_urls|"wagtail.urls")\)')
    assert wagtails.search(last)
    assert not wagtails.search(first)


LOGIN = path("accounts/login/", page)


@pytest.mark.parametrize("patterns", [[DEVICES], [DEVICES, WAGTAIL]])
def test_a_devices_page_without_a_page_to_sign_in_is_a_warning(
    serve, settings, patterns
):
    settings.LOGIN_URL = global_settings.LOGIN_URL
    serve(*patterns)
    messages = run()
    assert messages.keys() == {"W019"}
    assert "/accounts/login/" in messages["W019"].msg
    settings.LOGIN_URL = "/somewhere/"
    assert run() == {}


@pytest.mark.parametrize("patterns", [[LOGIN, DEVICES, WAGTAIL], [WAGTAIL], []])
def test_a_site_with_djangos_page_to_sign_in_or_without_devices_is_right(
    serve, settings, patterns
):
    settings.LOGIN_URL = global_settings.LOGIN_URL
    serve(*patterns)
    assert run() == {}


def test_a_site_that_names_no_languages_is_tried_in_two(serve, settings, monkeypatch):
    settings.LANGUAGES = global_settings.LANGUAGES
    tried = []
    real = urls.override

    def override(language):
        tried.append(language)
        return real(language)

    monkeypatch.setattr(urls, "override", override)
    serve(*i18n_patterns(DEVICES, WAGTAIL))
    assert run() == {}
    assert len(tried) == 2


class Asking:
    """A converter that asks the database, where there is no table yet."""

    regex = "[a-z]+"

    def to_python(self, value):
        raise OperationalError("no such table")

    def to_url(self, value):
        return value


def test_a_converter_that_fails_breaks_no_check(serve, monkeypatch):
    monkeypatch.setitem(converters.REGISTERED_CONVERTERS, "asking", Asking())
    converters.get_converters.cache_clear()
    serve(path("<asking:team>/devices/", page), DEVICES)
    assert run() == {}


def test_urlconfs_that_cant_be_imported_break_no_check(serve, settings):
    serve(DEVICES)
    settings.PUBLIC_SCHEMA_URLCONF = "no.such.module"
    settings.SUBDOMAIN_URLCONFS = None
    assert run() == {}
