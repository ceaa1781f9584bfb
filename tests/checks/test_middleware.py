"""Checks of the session middleware."""

import sys
from types import ModuleType

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.middleware import (
    SessionMiddleware as DjangoSessionMiddleware,
)

from tests.checks.messages import run
from wagtail_user_sessions.middleware import SessionMiddleware

DJANGO_MIDDLEWARE = "django.contrib.sessions.middleware.SessionMiddleware"

OUR_MIDDLEWARE = "wagtail_user_sessions.middleware.SessionMiddleware"


class OwnMiddleware(SessionMiddleware):
    """A site's own subclass, without a change."""


class DjangosSubclass(DjangoSessionMiddleware):
    """As that of django-qsessions is."""


class ForeignMiddleware:
    """As that of django-user-sessions is: it extends nothing of Django's sessions."""

    def __init__(self, get_response):
        self.get_response = get_response

    def process_request(self, request):
        request.session = {}


class InheritedMiddleware(ForeignMiddleware):
    pass


def session_middleware(get_response):
    def middleware(request):
        request.session = {}
        return get_response(request)

    return middleware


class TrackingMiddleware:
    """As that of allauth's user sessions is: it reads the session, and sets none."""

    def __call__(self, request):
        request.session["visits"] = 1


def function_middleware(get_response):
    return get_response


def replaced(middleware):
    return [
        middleware if path == OUR_MIDDLEWARE else path
        for path in django_settings.MIDDLEWARE
    ]


def test_a_subclass_of_our_middleware_is_fine(settings):
    settings.MIDDLEWARE = replaced("tests.checks.test_middleware.OwnMiddleware")
    assert run() == {}


def test_no_session_middleware_is_an_error(settings):
    settings.MIDDLEWARE = replaced("django.middleware.gzip.GZipMiddleware")
    assert run().keys() == {"E003"}


def test_no_middleware_at_all_is_an_error(settings):
    settings.MIDDLEWARE = []
    assert run().keys() == {"E003"}


def test_djangos_middleware_in_place_of_ours_is_an_error(settings):
    settings.MIDDLEWARE = replaced(DJANGO_MIDDLEWARE)
    messages = run()
    assert messages.keys() == {"E004"}
    assert DJANGO_MIDDLEWARE in messages["E004"].msg
    assert f'in the place of "{DJANGO_MIDDLEWARE}"' in messages["E004"].hint


def test_djangos_middleware_beside_ours_is_an_error(settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, DJANGO_MIDDLEWARE]
    messages = run()
    assert messages.keys() == {"E004"}
    assert f'Take "{DJANGO_MIDDLEWARE}" out' in messages["E004"].hint


def test_a_subclass_of_djangos_in_place_of_ours_is_an_error_that_names_both(settings):
    path = f"{__name__}.DjangosSubclass"
    settings.MIDDLEWARE = replaced(path)
    messages = run()
    assert messages.keys() == {"E004"}
    assert path in messages["E004"].msg
    assert OUR_MIDDLEWARE in messages["E004"].hint


@pytest.mark.parametrize(
    "path",
    [
        f"{__name__}.ForeignMiddleware",
        f"{__name__}.InheritedMiddleware",
        f"{__name__}.session_middleware",
        "no.such.package.SessionMiddleware",
    ],
)
def test_another_packages_session_middleware_is_an_error_that_names_both(
    settings, path
):
    settings.MIDDLEWARE = replaced(path)
    messages = run()
    assert messages.keys() == {"E003"}
    assert f"{path}, the session middleware of another package" in messages["E003"].msg
    assert OUR_MIDDLEWARE in messages["E003"].hint
    assert f'in the place of "{path}"' in messages["E003"].hint


def test_another_packages_session_middleware_beside_ours_is_an_error(
    settings, monkeypatch
):
    module = ModuleType("other_sessions")
    module.SessionMiddleware = ForeignMiddleware
    monkeypatch.setitem(sys.modules, module.__name__, module)
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "other_sessions.SessionMiddleware"]
    messages = run()
    assert messages.keys() == {"E004"}
    assert "other_sessions.SessionMiddleware" in messages["E004"].msg


@pytest.mark.parametrize("name", ["ForeignMiddleware", "TrackingMiddleware"])
def test_middleware_that_puts_a_session_on_some_requests_is_fine_beside_ours(
    settings, name
):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.{name}"]
    assert run() == {}


def test_middleware_that_only_reads_the_session_is_no_session_middleware(settings):
    settings.MIDDLEWARE = replaced(f"{__name__}.TrackingMiddleware")
    assert "no session middleware" in run()["E003"].msg


@pytest.mark.parametrize(
    "early",
    [
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
        "django.contrib.auth.middleware.PersistentRemoteUserMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
)
def test_middleware_that_uses_the_session_before_ours_is_an_error(settings, early):
    settings.MIDDLEWARE = [early, OUR_MIDDLEWARE]
    messages = run()
    assert messages.keys() == {"E005"}
    assert early in messages["E005"].msg
    settings.MIDDLEWARE = [OUR_MIDDLEWARE, early]
    assert run() == {}


@pytest.mark.parametrize(
    "odd",
    [
        "no.such.Middleware",
        "nothing",
        "",
        "tests.checks.test_middleware.function_middleware",
    ],
)
def test_other_middleware_gives_no_message(settings, odd):
    settings.MIDDLEWARE = [odd, *settings.MIDDLEWARE, odd]
    assert run() == {}
