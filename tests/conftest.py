import os
from importlib import import_module

import pytest
import redis
from django.core.cache import cache

ENGINES = ("db", "cached_db")


@pytest.fixture(params=ENGINES)
def engine(request, settings):
    """Runs a test on both engines, and answers with the engine's module."""
    settings.SESSION_ENGINE = f"wagtail_user_sessions.backends.{request.param}"
    cache.clear()
    yield import_module(settings.SESSION_ENGINE)
    cache.clear()


@pytest.fixture
def store(engine):
    """The SessionStore class of the engine."""
    return engine.SessionStore


def redis_is_there(url):
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=1) as client:
            return client.ping()
    except redis.RedisError:
        return False


@pytest.fixture
def redis_cache(settings):
    """A cache on the Redis of REDIS_URL, empty."""
    if not redis_is_there(settings.REDIS_URL):
        message = f"no Redis at {settings.REDIS_URL} (set REDIS_URL)"
        if os.environ.get("CI"):
            pytest.fail(f"{message}, and CI requires it")
        pytest.skip(message)
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": settings.REDIS_URL,
            "KEY_PREFIX": f"tests-{os.getpid()}",
        }
    }
    return cache
