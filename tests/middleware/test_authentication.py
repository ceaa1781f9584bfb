"""Session and user read with one query: never laxer than Django's ``get_user``."""

import subprocess
import sys
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings as django_settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
)
from django.contrib.auth.middleware import AuthenticationMiddleware as DjangosMiddleware
from django.contrib.auth.models import UserManager
from django.db import connection, models
from django.http import HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.backends.stored_sessions import signed_in_by_hand
from tests.cache.entries import Recorder
from tests.conftest import sign_in
from wagtail_user_sessions.middleware import AuthenticationMiddleware, SessionMiddleware
from wagtail_user_sessions.models import Session

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
EVERYBODY = "tests.auth_backends.Everybody"
STRICTER = "tests.auth_backends.Stricter"
ASYNC_STRICTER = "tests.auth_backends.AsyncStricter"
OURS = "wagtail_user_sessions.middleware.AuthenticationMiddleware"
DJANGOS = "django.contrib.auth.middleware.AuthenticationMiddleware"
User = get_user_model()


class HidingManager(UserManager):
    def get_queryset(self):
        return super().get_queryset().exclude(username="bob")


class HidingQuerySet(models.QuerySet):
    def get(self, *args, **kwargs):
        return models.QuerySet.get(self.exclude(username="bob"), *args, **kwargs)


# The situations: each changes a saved session of Bob's, its user or the settings.


def signed_in(session, user, settings):
    """Change nothing."""


def signed_in_twice(session, user, settings):
    type(session)(session.session_key).save()


def anonymous(session, user, settings):
    session.clear()
    session["value"] = 1
    session.save()


def expired(session, user, settings):
    now = timezone.now()
    Session.objects.update(expire_date=now - timedelta(seconds=1))


def ended(session, user, settings):
    Session.objects.all().delete()


def inactive(session, user, settings):
    User.objects.update(is_active=False)


def deleted_by_sql(session, user, settings):
    # The cascade deletes the session too.
    user.delete()


def with_another_password(session, user, settings):
    user.set_password("another")
    user.save()


def with_another_secret(session, user, settings):
    settings.SECRET_KEY = "another"


def with_a_fallback_secret(session, user, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"


def of_a_backend_that_is_gone(session, user, settings):
    settings.AUTHENTICATION_BACKENDS = ["tests.auth_backends.Another"]


def of_a_stricter_backend(session, user, settings):
    settings.AUTHENTICATION_BACKENDS = [STRICTER]
    session[BACKEND_SESSION_KEY] = STRICTER
    session.save()


def of_an_async_stricter_backend(session, user, settings):
    settings.AUTHENTICATION_BACKENDS = [ASYNC_STRICTER]
    session[BACKEND_SESSION_KEY] = ASYNC_STRICTER
    session.save()


def inactive_of_a_backend_for_everybody(session, user, settings):
    settings.AUTHENTICATION_BACKENDS = [EVERYBODY]
    session[BACKEND_SESSION_KEY] = EVERYBODY
    session.save()
    User.objects.update(is_active=False)


def without_a_backend(session, user, settings):
    del session[BACKEND_SESSION_KEY]
    session.save()


def without_a_hash(session, user, settings):
    del session[HASH_SESSION_KEY]
    session.save()


def with_an_empty_hash(session, user, settings):
    session[HASH_SESSION_KEY] = ""
    session.save()


def with_a_wrong_hash(session, user, settings):
    session[HASH_SESSION_KEY] = "0" * 64
    session.save()


def with_a_row_of_another_user(session, user, settings):
    other = User.objects.create_user("mallory")
    Session.objects.update(user=other, session_data=Session.objects.get().session_data)


def with_a_row_of_nobody(session, user, settings):
    Session.objects.update(user=None, session_data=Session.objects.get().session_data)


def with_data_that_cant_be_decoded(session, user, settings):
    Session.objects.update(session_data="x")


def hidden_by_a_manager(session, user, settings):
    with_manager(HidingManager())


def hidden_by_a_query_set(session, user, settings):
    with_manager(UserManager.from_queryset(HidingQuerySet)())


SITUATIONS = [
    signed_in,
    signed_in_twice,
    anonymous,
    expired,
    ended,
    inactive,
    deleted_by_sql,
    with_another_password,
    with_another_secret,
    with_a_fallback_secret,
    of_a_backend_that_is_gone,
    of_a_stricter_backend,
    of_an_async_stricter_backend,
    inactive_of_a_backend_for_everybody,
    without_a_backend,
    without_a_hash,
    with_an_empty_hash,
    with_a_wrong_hash,
    with_a_row_of_another_user,
    with_a_row_of_nobody,
    with_data_that_cant_be_decoded,
    hidden_by_a_manager,
    hidden_by_a_query_set,
]


def with_manager(manager):
    """Make it the default manager of users, until ``own_managers`` ends."""
    manager.name, manager.model = "objects", User
    User._meta.__dict__["default_manager"] = manager


@pytest.fixture
def own_managers():
    """Gives the user model its own managers back."""
    yield
    User._meta._expire_cache()


def request_with(key, middleware):
    request = RequestFactory().get("/")
    request.COOKIES[django_settings.SESSION_COOKIE_NAME] = key
    for each in (SessionMiddleware, middleware):
        each(lambda request: HttpResponse()).process_request(request)
    return request


def asked(request, mode):
    if mode == "sync":
        return request.user._wrapped if request.user.pk else request.user
    return async_to_sync(request.auser)()


def outcome(request, mode):
    """Return the user of the request, and the state of its session."""
    user = asked(request, mode)
    before = request.COOKIES[django_settings.SESSION_COOKIE_NAME]
    session = request.session
    return {
        "user": (user.is_authenticated, user.get_username(), user.is_active),
        "is_empty": session.is_empty(),
        "has_key": session.session_key is not None,
        "key_is_new": session.session_key not in {before, None},
        "data": {
            name: session.get(name)
            for name in (SESSION_KEY, BACKEND_SESSION_KEY, "value")
        },
        "rows": Session.objects.count(),
        "modified": session.modified,
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("own_managers")
@pytest.mark.parametrize("was_visitor", [False, True], ids=["new", "of a visitor"])
@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda value: value.__name__)
def test_get_user_answers_as_djangos_own(store, settings, situation, mode, was_visitor):
    outcomes = []
    secret = settings.SECRET_KEY
    for middleware in (DjangosMiddleware, AuthenticationMiddleware):
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = secret, []
        settings.AUTHENTICATION_BACKENDS = [MODEL_BACKEND]
        User._meta._expire_cache()
        Session.objects.all().delete()
        User._base_manager.all().delete()
        bob = User(pk=1_000_000, username="bob")
        bob.set_password("secret")
        bob.save()
        session = signed_in_by_hand(store, bob) if was_visitor else sign_in(store, bob)
        situation(session, bob, settings)
        request = request_with(session.session_key, middleware)
        outcomes.append(outcome(request, mode))
    djangos, ours = outcomes
    assert ours == djangos


def page(client, path="/whoami/"):
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path).content.decode()
    return answer, [query["sql"] for query in queries]


@pytest.fixture
def one_query(settings):
    settings.MIDDLEWARE = [
        OURS if name == DJANGOS else name for name in settings.MIDDLEWARE
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("one_query")
@pytest.mark.parametrize("path", ["/whoami/", "/awhoami/"])
def test_a_signed_in_page_takes_one_query_and_no_cache_call(
    browser, alice, path, monkeypatch
):
    client = browser(alice)
    recorder = Recorder(monkeypatch)
    for _ in range(3):
        answer, queries = page(client, path)
        assert answer == "alice"
        (query,) = queries
        assert "session_data" in query
        assert "password" in query
    assert recorder.calls == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("one_query")
def test_a_page_that_ignores_its_user_takes_no_query(browser, alice):
    assert page(browser(alice), "/plain/")[1] == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("one_query")
def test_the_user_is_read_anew_each_time(browser, alice):
    client = browser(alice)
    for _ in range(3):
        assert page(client)[0] == "alice"
    User.objects.update(username="alicia")
    assert page(client)[0] == "alicia"
    User.objects.update(is_active=False)
    assert page(client)[0] == "nobody"
    # The refusal has ended the session.
    assert not Session.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("one_query")
@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_second_sign_in_changes_the_user_of_the_session(browser, alice, bob, mode):
    client = browser(alice)
    path = "/login/" if mode == "sync" else "/alogin/"
    client.post(path, {"username": "bob", "password": "secret"})
    assert page(client)[0] == "bob"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("change", [inactive, with_another_password])
def test_a_user_changed_after_the_session_was_read_is_refused(
    store, alice, settings, change, mode
):
    session = sign_in(store, alice)
    request = request_with(session.session_key, AuthenticationMiddleware)
    assert request.session.get(SESSION_KEY) == str(alice.pk)
    change(session, alice, settings)
    assert not asked(request, mode).is_authenticated


@pytest.mark.django_db
def test_a_user_manager_with_its_own_get_is_called(store, alice, monkeypatch):
    session = sign_in(store, alice)

    def nobody(*args, **kwargs):
        raise User.DoesNotExist

    manager = User._default_manager
    monkeypatch.setattr(manager, "get", nobody, raising=False)
    request = request_with(session.session_key, AuthenticationMiddleware)
    assert not request.user.is_authenticated


@pytest.mark.django_db
def test_another_engine_gets_djangos_own_user(settings, alice):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    request = request_with("", AuthenticationMiddleware)
    assert not request.user.is_authenticated


def test_a_user_model_with_a_uuid_key_is_supported():
    visit = subprocess.run(
        [sys.executable, "-m", "tests.uuid_users.visit"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert visit.returncode == 0, visit.stderr
    assert visit.stdout == "visited\n"
