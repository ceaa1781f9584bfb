"""The client of a cache, made without a connection; what it misses."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache, RedisCacheClient

# Packages whose clients connect when they are first used, not when they are made.
LAZY_CLIENTS = {"django_redis", "django_valkey"}


def make_client(alias: str) -> None:
    """Make a cache and its client as the first page does, and drop both.

    Backends import their driver, their serializer and what ``OPTIONS`` name only then.
    Clients that may connect as they are made, such as those of a site's own class, are
    left alone. Raises whatever is wrong.
    """
    cache: Any = caches.create_connection(alias)
    is_redis = isinstance(cache, RedisCache)
    if is_redis:
        import_module("redis")
    if is_redis and cache._class is RedisCacheClient:
        client = cache._cache
        # Django's own pool parses the address, and connects later.
        if "pool_class" not in cache._options:
            client.get_client()
    elif package_of(_client_module(cache)) in LAZY_CLIENTS:
        _ = cache.client


def _client_module(cache: object) -> str:
    return getattr(getattr(cache, "_client_cls", None), "__module__", "")


def missing_package(failure: BaseException | None) -> str | None:
    """Return the package that an import has not found; none if it only lacks a module."""
    while failure is not None:
        if isinstance(failure, ModuleNotFoundError) and failure.name:
            package = package_of(failure.name)
            is_there = package != failure.name and find_spec(package) is not None
            return None if is_there else package
        failure = failure.__cause__
    return None


def package_of(path: str) -> str:
    return path.partition(".")[0]
