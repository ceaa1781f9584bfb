"""The cache that the sessions are copied to: that of ``SESSION_CACHE_ALIAS``.

Django's backend for Redis makes a client anew for each call, which takes about as
long as Redis does to answer; and under ASGI each request makes a backend of its own,
with new connections. A client keeps nothing of a call, and all threads may use the
same one, so that the process needs but one.
Source: https://redis.readthedocs.io/en/stable/advanced_features.html#threads
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.cache import BaseCache, caches
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from django.core.signals import setting_changed

# Options that may limit the connections of a thread, in Django: those of a process
# would be too few.
LIMITS = {"max_connections", "pool_class"}


class SharedRedisClient(RedisCacheClient):
    """Django's, with one client for reading and one for writing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._shared: dict[bool, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        if write not in self._shared:
            self._shared[write] = super().get_client(key, write=write)
        return self._shared[write]


class SharedRedisCache(RedisCache):
    """Django's, for all threads of a process."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = SharedRedisClient

    def validate_key(self, key: str) -> None:
        """Redis takes any key; Django warns, letter by letter, of what others refuse."""


# By their aliases; None where each thread has a cache of its own.
_shared: dict[str, BaseCache | None] = {}


def get_session_cache() -> BaseCache:
    """The cache of the alias; of Django's for Redis, one that the process shares.

    Raises ``InvalidCacheBackendError`` where there is no such cache.
    """
    alias = settings.SESSION_CACHE_ALIAS
    if alias not in _shared:
        # Of two threads that come at once, both get the first one's.
        _shared.setdefault(alias, _make(alias))
    return _shared.get(alias) or caches[alias]


def _make(alias: str) -> BaseCache | None:
    # None of a site's own, of which nothing is known.
    if type(caches[alias]) is not RedisCache:
        return None
    params = {**settings.CACHES[alias]}
    del params["BACKEND"]
    server = params.pop("LOCATION", "")
    if _may_be_limited(server, params.get("OPTIONS", {})):
        return None
    return SharedRedisCache(server, params)


def _may_be_limited(server: Any, options: dict[str, Any]) -> bool:
    in_address = any(f"{name}=" in str(server) for name in LIMITS)
    return in_address or not LIMITS.isdisjoint(options)


def forget(**_: object) -> None:
    """A setting may have changed."""
    _shared.clear()


setting_changed.connect(forget, dispatch_uid=__name__)
