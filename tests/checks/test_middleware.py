"""Checks of the session middleware."""

import pytest
from django.conf import settings as django_settings

from tests.checks.messages import run
from wagtail_user_sessions.middleware import SessionMiddleware

DJANGO_MIDDLEWARE = "django.contrib.sessions.middleware.SessionMiddleware"

OUR_MIDDLEWARE = "wagtail_user_sessions.middleware.SessionMiddleware"


class OwnMiddleware(SessionMiddleware):
    """A site's own subclass, without a change."""


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


def test_djangos_middleware_beside_ours_is_an_error(settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, DJANGO_MIDDLEWARE]
    assert run().keys() == {"E004"}


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
