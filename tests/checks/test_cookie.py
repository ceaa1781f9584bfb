"""Checks of the session cookie, for ``check --deploy``."""

import pytest
from django.core.checks import Tags, run_checks
from django.core.checks.security import sessions as django_checks

from tests.checks.messages import run
from tests.checks.project import checked
from wagtail_user_sessions.checks.messages import TAG

DJANGO_MIDDLEWARE = "django.contrib.sessions.middleware.SessionMiddleware"
SESSION_IDS = {f"security.W01{digit}" for digit in range(6)}
# What Django says of its own app and middleware together.
COOKIE_SETTINGS = {
    "SESSION_COOKIE_SECURE": "security.W012",
    "SESSION_COOKIE_HTTPONLY": "security.W015",
}


@pytest.fixture(autouse=True)
def safe_cookie(settings):
    for name in COOKIE_SETTINGS:
        setattr(settings, name, True)


def ids(tag, **options):
    messages = run_checks(tags=[tag], **options)
    return [message.id for message in messages if message.id in SESSION_IDS]


@pytest.mark.parametrize("tag", [Tags.security, TAG])
@pytest.mark.parametrize(("name", "id_"), COOKIE_SETTINGS.items())
@pytest.mark.parametrize("value", [False, None, "True", 1])
def test_a_cookie_that_is_not_safe_is_djangos_warning(settings, tag, name, id_, value):
    setattr(settings, name, value)
    assert ids(tag, include_deployment_checks=True) == [id_]


@pytest.mark.parametrize("tag", [Tags.security, TAG])
def test_a_safe_cookie_is_fine(tag):
    assert ids(tag, include_deployment_checks=True) == []


def test_the_cookie_matters_only_to_a_deployment(settings):
    settings.SESSION_COOKIE_SECURE = settings.SESSION_COOKIE_HTTPONLY = False
    assert ids(Tags.security) == ids(TAG) == []
    assert run() == {}


@pytest.mark.parametrize(("name", "id_"), COOKIE_SETTINGS.items())
def test_what_django_says_itself_is_not_said_twice(settings, monkeypatch, name, id_):
    setattr(settings, name, False)
    settings.MIDDLEWARE = [DJANGO_MIDDLEWARE, *settings.MIDDLEWARE]
    assert len(ids(Tags.security, include_deployment_checks=True)) == 1
    # Patched, since Wagtail's apps can't be set up twice in a process.
    monkeypatch.setattr(django_checks, "_session_app", lambda: True)
    assert ids(Tags.security, include_deployment_checks=True) == [id_]


@pytest.mark.parametrize("apps", ["[]", "['django.contrib.sessions']"])
def test_the_command_says_it_once_with_djangos_app_or_without(tmp_path, apps):
    said = checked(tmp_path, f"INSTALLED_APPS += {apps}", "--deploy", "--tag=security")
    assert said.count("SESSION_COOKIE_SECURE to True.") == 1 or (
        said.count("SESSION_COOKIE_SECURE is not set to True.") == 1
    )
    # HttpOnly is on by default.
    assert "SESSION_COOKIE_HTTPONLY" not in said
