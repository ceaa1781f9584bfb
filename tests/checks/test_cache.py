"""Checks of the cache of ``backends.cached_db``."""

import socket
import sys

import pytest
from django.core.cache import BaseCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient

from tests.checks.messages import CACHED_DB, run

REDIS = "django.core.cache.backends.redis.RedisCache"
SERVER = "redis://127.0.0.1:6379"


class OwnRedis(BaseCache):
    """A site's own cache backend, whose module name contains "redis"."""

    __module__ = "site_of_ours.redis"


@pytest.fixture
def use_cache(settings):
    def use_cache(backend, location="", **options):
        settings.SESSION_ENGINE = CACHED_DB
        cache = {"BACKEND": backend, "LOCATION": location, **options}
        settings.CACHES = {**settings.CACHES, "default": cache}

    return use_cache


def test_the_engine_db_accepts_any_cache(settings, use_cache):
    use_cache("django.core.cache.backends.dummy.DummyCache")
    settings.SESSION_ENGINE = "wagtail_user_sessions.backends.db"
    settings.SESSION_CACHE_ALIAS = "none"
    assert run() == {}


def test_a_cache_that_is_not_there_is_an_error(settings):
    settings.SESSION_ENGINE = CACHED_DB
    settings.SESSION_CACHE_ALIAS = "sesions"
    assert run().keys() == {"E008"}


def test_a_cache_that_can_not_be_imported_is_an_error(use_cache):
    use_cache("no.such.Cache")
    assert run().keys() == {"E008"}


@pytest.mark.parametrize("alias", [None, 1, ["default"], {}])
def test_an_alias_of_the_wrong_kind_is_an_error(settings, alias):
    settings.SESSION_ENGINE = CACHED_DB
    settings.SESSION_CACHE_ALIAS = alias
    assert run().keys() == {"E008"}


class Driven(BaseCache):
    """A backend that imports its driver when it is made, as Django's memcached do."""

    def __init__(self, server, params):
        super().__init__(params)
        import no_such_driver  # noqa: F401


class RedisOfOurs(RedisCache):
    """A site's backend with a client of its own, which might connect at once."""

    def __init__(self, server, params):
        super().__init__(server, params)
        self._class = Connecting


class Connecting(RedisCacheClient):
    def __init__(self, *args, **kwargs):
        pytest.fail("it has connected")


@pytest.fixture
def without(monkeypatch):
    def without(package):
        monkeypatch.setitem(sys.modules, package, None)

    return without


@pytest.mark.parametrize(
    "backend",
    [
        REDIS,
        f"{__name__}.RedisOfOurs",
    ],
)
def test_a_cache_without_its_driver_is_an_error(use_cache, without, backend):
    without("redis")
    use_cache(backend, "redis://127.0.0.1:6379", OPTIONS={"socket_timeout": 0.5})
    messages = run()
    assert messages.keys() == {"E014"}
    assert "needs 'redis'" in messages["E014"].msg
    assert "pip install redis)" in messages["E014"].hint


def test_a_driver_that_the_backend_imports_is_an_error(use_cache):
    use_cache(f"{__name__}.Driven")
    messages = run()
    assert messages.keys() == {"E014"}
    assert "pip install no-such-driver)" in messages["E014"].hint


def test_the_engine_db_needs_no_driver(settings, use_cache, without):
    without("redis")
    use_cache(REDIS, "redis://127.0.0.1:6379")
    settings.SESSION_ENGINE = "wagtail_user_sessions.backends.db"
    assert run() == {}


def test_what_the_options_name_and_cant_be_imported_is_an_error(use_cache):
    use_cache(REDIS, SERVER, OPTIONS={"serializer": "no_such_package.Serializer"})
    messages = run()
    assert messages.keys() == {"E014"}
    assert "'no_such_package'" in messages["E014"].msg


def test_a_backend_whose_package_is_missing_is_an_error_that_names_it(use_cache):
    use_cache("redis_cache.RedisCache", SERVER)
    messages = run()
    assert messages.keys() == {"E008"}
    assert "pip install django-redis-cache)" in messages["E008"].hint


def test_a_backend_that_its_package_lacks_needs_no_installation(use_cache):
    use_cache("django.core.cache.backends.no_such.Cache")
    assert "pip" not in run()["E008"].hint


@pytest.mark.parametrize("location", ["127.0.0.1:6379", "", "http://127.0.0.1/"])
def test_an_address_that_redis_cant_use_is_an_error(use_cache, location):
    use_cache(REDIS, location)
    messages = run()
    assert messages.keys() == {"E008"}
    assert "Redis URL" in messages["E008"].msg


def test_options_of_the_wrong_kind_are_an_error(use_cache):
    use_cache(REDIS, SERVER, OPTIONS=None)
    assert run().keys() == {"E008"}


@pytest.mark.parametrize("backend", [REDIS, f"{__name__}.RedisOfOurs"])
def test_the_check_connects_to_no_server(use_cache, monkeypatch, backend):
    monkeypatch.setattr(socket, "socket", lambda *args: pytest.fail("it has connected"))
    use_cache(backend, SERVER, OPTIONS={"socket_timeout": 0.5})
    assert run() == {}


def test_a_cache_of_one_process_is_a_warning(settings):
    settings.SESSION_ENGINE = CACHED_DB
    messages = run()
    assert messages.keys() == {"W003"}
    assert "WAGTAIL_USER_SESSIONS_CACHE_MAX_AGE" in messages["W003"].hint


def test_a_cache_that_keeps_nothing_is_a_warning(use_cache):
    use_cache("django.core.cache.backends.dummy.DummyCache")
    assert run().keys() == {"W004"}


@pytest.mark.parametrize(
    ("backend", "location"),
    [
        ("django.core.cache.backends.filebased.FileBasedCache", "folder"),
        ("django.core.cache.backends.db.DatabaseCache", "table"),
        (REDIS, "redis://127.0.0.1:6379"),
        (REDIS, ["redis://127.0.0.1:6379"]),
    ],
)
def test_a_cache_of_one_server_that_is_shared_is_fine(use_cache, backend, location):
    use_cache(backend, location)
    assert run() == {}


@pytest.mark.parametrize(
    "location",
    [
        "redis://127.0.0.1:6379,redis://127.0.0.1:6380",
        "redis://127.0.0.1:6379;redis://127.0.0.1:6380",
        ["redis://127.0.0.1:6379", "redis://127.0.0.1:6380"],
        ("redis://127.0.0.1:6379", "redis://127.0.0.1:6380"),
    ],
)
@pytest.mark.parametrize("backend", [REDIS, "tests.checks.test_cache.OwnRedis"])
def test_read_replicas_are_a_warning(use_cache, monkeypatch, backend, location):
    monkeypatch.setattr(OwnRedis, "__init__", lambda self, server, params: None)
    use_cache(backend, location)
    messages = run()
    assert messages.keys() == {"W012"}
    assert "WAGTAIL_USER_SESSIONS_CACHE_MAX_AGE" in messages["W012"].hint


class OwnDjangosRedis(RedisCache):
    """A site's own subclass, which may not be safe to share between threads."""


class DjangoRedis(BaseCache):
    __module__ = "django_redis.cache"


class DjangoValkey(BaseCache):
    __module__ = "django_valkey.cache"


class PyMemcache(BaseCache):
    __module__ = "site_of_ours.pymemcache"


# Each backend that waits for a server without end, and its option that limits this.
PATIENT = {
    OwnDjangosRedis: "socket_timeout",
    DjangoRedis: "SOCKET_TIMEOUT",
    DjangoValkey: "SOCKET_TIMEOUT",
    PyMemcache: "timeout",
}


@pytest.fixture
def use_patient_cache(use_cache, monkeypatch):
    def use_patient_cache(backend, location=SERVER, **options):
        if backend is not OwnDjangosRedis:
            init = lambda self, server, params: None  # noqa: E731
            monkeypatch.setattr(backend, "__init__", init)
        use_cache(f"{__name__}.{backend.__name__}", location, OPTIONS=options)

    return use_patient_cache


@pytest.mark.parametrize("backend", PATIENT)
def test_a_cache_without_a_time_out_is_a_warning(use_patient_cache, backend):
    use_patient_cache(backend)
    messages = run()
    assert messages.keys() == {"W013"}
    assert f": {PATIENT[backend]}. " in messages["W013"].hint


@pytest.mark.parametrize("backend", PATIENT)
def test_a_cache_with_a_time_out_is_fine(use_patient_cache, backend):
    use_patient_cache(backend, **{PATIENT[backend]: 0.5})
    assert run() == {}


def test_a_time_out_in_the_address_is_fine(use_patient_cache):
    use_patient_cache(OwnDjangosRedis, f"{SERVER}?socket_timeout=0.5")
    assert run() == {}


def test_a_limit_of_connections_needs_a_time_out_too(use_cache):
    # Then each thread has a client of its own, with the driver's time-outs.
    use_cache(REDIS, SERVER, OPTIONS={"max_connections": 5})
    assert run().keys() == {"W013"}
    use_cache(REDIS, SERVER, OPTIONS={"max_connections": 5, "socket_timeout": 0.5})
    assert run() == {}


def test_a_time_out_of_the_connect_alone_is_a_warning(use_patient_cache):
    use_patient_cache(PyMemcache, connect_timeout=0.5)
    assert run().keys() == {"W013"}


def test_a_time_out_of_the_connection_pool_is_fine(use_patient_cache):
    use_patient_cache(DjangoRedis, CONNECTION_POOL_KWARGS={"socket_timeout": 0.5})
    assert run() == {}
