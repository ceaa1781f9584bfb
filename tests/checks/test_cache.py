"""Checks of the cache of ``backends.cached_db``."""

import pytest
from django.core.cache import BaseCache

from tests.checks.messages import CACHED_DB, run

REDIS = "django.core.cache.backends.redis.RedisCache"


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
def test_read_replicas_are_an_error(use_cache, monkeypatch, backend, location):
    monkeypatch.setattr(OwnRedis, "__init__", lambda self, server, params: None)
    use_cache(backend, location)
    assert run().keys() == {"E009"}
