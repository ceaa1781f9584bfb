"""The promises of the package on a site served by uvicorn."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import pytest
from django.conf import settings as django_settings

from tests.asgi_server import Browser, Server
from tests.conftest import ENGINES, redis_is_there, skip_or_fail
from wagtail_user_sessions.models import Session

pytestmark = pytest.mark.django_db(transaction=True)


def shared_cache():
    """A cache that both processes reach."""
    url = django_settings.REDIS_URL
    if not redis_is_there(url):
        skip_or_fail(f"no Redis at {url} (set REDIS_URL)")
    backend = "django.core.cache.backends.redis.RedisCache"
    prefix = f"tests-asgi-{os.getpid()}"
    return {"default": {"BACKEND": backend, "LOCATION": url, "KEY_PREFIX": prefix}}


@pytest.fixture(scope="module", params=ENGINES)
def served(request, django_db_setup, tmp_path_factory):
    """A server, and the settings that it shares with the test."""
    if find_spec("uvicorn") is None:
        skip_or_fail("uvicorn isn't installed (pip install uvicorn)")
    shared = {"SESSION_ENGINE": f"wagtail_user_sessions.backends.{request.param}"}
    if request.param == "cached_db":
        shared["CACHES"] = shared_cache()
    server = Server(tmp_path_factory.mktemp("asgi"), **shared)
    try:
        server.wait()
        yield server, shared
    finally:
        server.stop()


@pytest.fixture
def server(served, settings):
    server, shared = served
    for name, value in shared.items():
        setattr(settings, name, value)
    return server


@pytest.fixture
def signed_in(server, alice):
    """A browser of Alice's; its session was read often enough to have a copy."""
    browser = Browser(server)
    assert browser.post("/alogin/", username="alice", password="secret") == "yes"
    for _ in range(3):
        assert browser.get("/awhoami/") == "alice"
    return browser


def test_a_visitor_signs_in_and_changes_the_session(signed_in, alice):
    assert signed_in.get("/achange/") == "changed"
    assert signed_in.get("/read/") == "changed"
    assert signed_in.get("/id/") == str(alice.session_set.get().pk)


def test_two_changes_of_different_keys_at_once_are_both_kept(signed_in):
    with ThreadPoolExecutor(2) as threads:
        answers = threads.map(signed_in.get, ["/together/one/", "/together/other/"])
        assert list(answers) == ["changed"] * 2
    data = json.loads(signed_in.get("/data/"))
    assert data["user"] == "alice"
    assert {"one", "other"} <= set(data["keys"])


@pytest.mark.parametrize("served", ["cached_db"], indirect=True)
def test_requests_share_their_connection_to_redis(signed_in):
    connections = {signed_in.get("/cache-connection/") for _ in range(5)}
    assert len(connections) == 1


@pytest.mark.parametrize("page", ["/awhoami/", "/whoami/"])
def test_a_revoked_session_is_refused_by_the_next_request(signed_in, alice, page):
    assert alice.session_set.all().revoke() == 1
    assert signed_in.get(page) == "nobody"


def test_a_deleted_session_is_refused_by_the_next_request(signed_in, alice):
    alice.session_set.all().delete()
    assert signed_in.get("/awhoami/") == "nobody"


def test_a_revoked_session_is_not_revived_by_a_change(signed_in, alice):
    alice.session_set.all().revoke()
    signed_in.get("/achange/")
    assert signed_in.get("/awhoami/") == "nobody"
    assert not Session.objects.filter(user=alice).exists()


@pytest.mark.parametrize("page", ["/awhoami/", "/whoami/"])
def test_a_deactivated_user_is_refused_and_the_session_ends(signed_in, alice, page):
    type(alice).objects.filter(pk=alice.pk).update(is_active=False)
    assert signed_in.get(page) == "nobody"
    assert not Session.objects.exists()


def test_a_new_password_ends_the_session(signed_in, alice):
    alice.set_password("another secret")
    alice.save()
    assert signed_in.get("/awhoami/") == "nobody"
    assert not Session.objects.exists()


def test_sign_out_deletes_the_row_and_invalidates_the_cookie(signed_in):
    cookie = signed_in.cookie
    assert signed_in.get("/alogout/") == "bye"
    assert not Session.objects.exists()
    signed_in.cookie = cookie
    assert signed_in.get("/awhoami/") == "nobody"
