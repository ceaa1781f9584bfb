"""The cache that keeps the copies of rows: the cache of ``SESSION_CACHE_ALIAS``.

Django's backend for Redis makes a new client for each call, which takes about as long
as the answer of Redis; and under ASGI each request makes a backend of its own, with
new connections. A client keeps no state of a call, and all threads may use the same
one, so one client is enough for a process.
Source: https://redis.readthedocs.io/en/stable/advanced_features.html#threads
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.cache import BaseCache, caches
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from django.core.signals import setting_changed

# Options that may limit the number of connections. In Django the limit is for one
# thread; for a whole process it would be too low.
LIMITS = {"max_connections", "pool_class"}
# Seconds after which a silent server is given up, unless the site names others. The
# driver's own are 5 s and more, or none at all, and a page would wait for as long.
TIMEOUTS = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}


class SharedRedisClient(RedisCacheClient):
    """Django's class, but it keeps one client for reading and one for writing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._shared: dict[bool, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        if write not in self._shared:
            self._shared[write] = super().get_client(key, write=write)
        return self._shared[write]


class SharedRedisCache(RedisCache):
    """Django's backend, for all threads of a process."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = SharedRedisClient

    def validate_key(self, key: str) -> None:
        """Accept any key, as Redis does: Django's check, for other caches, is slow."""


# Shared caches by alias; None if each thread has a cache of its own.
_shared: dict[str, BaseCache | None] = {}


def get_session_cache() -> BaseCache:
    """Return the cache of the alias; if it is Django's for Redis, a shared one.

    Raises ``InvalidCacheBackendError`` if the alias isn't in ``CACHES``.
    """
    alias = settings.SESSION_CACHE_ALIAS
    if alias not in _shared:
        # Two threads at once both get the cache that is stored first.
        _shared.setdefault(alias, _make(alias))
    return _shared.get(alias) or caches[alias]


def _make(alias: str) -> BaseCache | None:
    # A subclass of a site may not be safe to share between threads.
    if type(caches[alias]) is not RedisCache:
        return None
    params = {**settings.CACHES[alias]}
    del params["BACKEND"]
    server = params.pop("LOCATION", "")
    options = params.get("OPTIONS", {})
    if _may_be_limited(server, options):
        return None
    # What stands in the address goes before all options.
    params["OPTIONS"] = {**TIMEOUTS, **options}
    return SharedRedisCache(server, params)


def _may_be_limited(server: Any, options: dict[str, Any]) -> bool:
    in_address = any(f"{name}=" in str(server) for name in LIMITS)
    return in_address or not LIMITS.isdisjoint(options)


def forget(**_: object) -> None:
    """Drop the shared caches, for a setting may have changed."""
    _shared.clear()


setting_changed.connect(forget, dispatch_uid=__name__)
