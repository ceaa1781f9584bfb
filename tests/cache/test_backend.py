"""The cache that keeps the copies: Django's, and for Redis one that threads share."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from django.core.cache import CacheKeyWarning, InvalidCacheBackendError, caches
from django.core.cache.backends.redis import RedisCache

from wagtail_user_sessions.cache.backend import get_session_cache


class SitesOwnCache(RedisCache):
    pass


@pytest.fixture
def clients(monkeypatch):
    """Return a list of all Redis clients that are made from now on."""
    made = []
    real = redis.Redis.__init__

    def init(self, *args, **kwargs):
        made.append(self)
        real(self, *args, **kwargs)

    monkeypatch.setattr(redis.Redis, "__init__", init)
    return made


def use(settings, **cache):
    settings.CACHES = {"default": settings.CACHES["default"] | cache}


def test_all_threads_share_a_client_of_redis(redis_cache, clients):
    def call(number):
        cache = get_session_cache()
        cache.set(f"key.{number % 5}", number)
        return cache, cache.get(f"key.{number % 5}") % 5

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(call, range(50)))
    assert {id(cache) for cache, _ in answers} == {id(get_session_cache())}
    assert [value for _, value in answers] == [number % 5 for number in range(50)]
    # Threads that start at the same time may make one each.
    known = len(clients)
    assert get_session_cache().get_many(["key.1", "key.2", "other"]).keys() == {
        "key.1",
        "key.2",
    }
    assert len(clients) == known < 15


def test_the_shared_cache_has_the_entries_and_parameters_of_the_alias(
    redis_cache, settings
):
    use(settings, KEY_PREFIX="some", VERSION=3, TIMEOUT=100)
    caches["default"].set("one", 1)
    assert get_session_cache().get("one") == 1
    get_session_cache().set_many({"two": 2, "three": [3]})
    assert caches["default"].get_many(["two", "three"]) == {"two": 2, "three": [3]}
    assert 0 < caches["default"]._cache.get_client().ttl("some:3:two") <= 100


def test_the_shared_cache_has_the_options_of_the_alias(redis_cache, settings):
    use(settings, OPTIONS={"socket_timeout": 0.25})
    pool = get_session_cache()._cache.get_client().connection_pool
    assert pool.make_connection().socket_timeout == 0.25


def test_changed_cache_settings_replace_the_shared_cache_at_once(redis_cache, settings):
    before = get_session_cache()
    use(settings, KEY_PREFIX="other")
    assert get_session_cache() is not before
    settings.CACHES = settings.CACHES | {"sessions": settings.CACHES["default"]}
    settings.SESSION_CACHE_ALIAS = "sessions"
    get_session_cache().set("here", 1)
    assert get_session_cache() is not caches["default"]
    assert caches["sessions"].get("here") == 1


@pytest.mark.parametrize(
    "backend",
    [
        "django.core.cache.backends.locmem.LocMemCache",
        f"{__name__}.{SitesOwnCache.__name__}",
    ],
)
def test_caches_of_another_class_are_not_shared(settings, backend):
    use(settings, BACKEND=backend)
    assert get_session_cache() is caches["default"]


@pytest.mark.parametrize(
    "limit",
    [
        {"OPTIONS": {"max_connections": 5}},
        {"OPTIONS": {"pool_class": "redis.BlockingConnectionPool"}},
        {"LOCATION": "redis://127.0.0.1/9?max_connections=5"},
    ],
)
def test_a_cache_with_a_limit_of_connections_is_not_shared(
    redis_cache, settings, limit
):
    assert get_session_cache() is not caches["default"]
    use(settings, **limit)
    assert get_session_cache() is caches["default"]


def test_the_shared_cache_warns_of_no_key(redis_cache):
    get_session_cache().set("with spaces", 1)
    with pytest.warns(CacheKeyWarning):
        assert caches["default"].get("with spaces") == 1


def test_an_alias_that_is_not_configured_raises_an_error(settings):
    settings.SESSION_CACHE_ALIAS = "nowhere"
    with pytest.raises(InvalidCacheBackendError, match="nowhere"):
        get_session_cache()
