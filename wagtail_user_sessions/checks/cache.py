"""Checks of the cache that ``backends.cached_db`` uses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.cache import BaseCache, caches
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.checks import CheckMessage, register

from wagtail_user_sessions.backends.cached_db import SessionStore
from wagtail_user_sessions.backends.engine import get_engine
from wagtail_user_sessions.conf import Conf

from .messages import TAG, error, warning

CACHE_HINT = "Name one of CACHES that all processes share, such as Redis."
SHARING_HINT = (
    "Use one that is, such as Redis, or the engine "
    '"wagtail_user_sessions.backends.db". Here a session that another process '
    f"ends may be believed for {Conf.CACHE_MAX_AGE.name} seconds longer."
)
DUMMY_HINT = 'Use one that does, or the engine "wagtail_user_sessions.backends.db".'
SERVERS_HINT = (
    "Name one server in its LOCATION, and no read replicas: one of those may "
    "still say that a session is alive which has ended."
)


@register(TAG)
def check_cache(**kwargs: Any) -> list[CheckMessage]:
    if not issubclass(get_engine(), SessionStore):
        return []
    alias = settings.SESSION_CACHE_ALIAS
    try:
        cache = caches[alias]
    except Exception as failure:
        message = f"SESSION_CACHE_ALIAS {alias!r} can't be used: {failure}"
        return [error(8, message, hint=CACHE_HINT)]
    return [*_check_sharing(alias, cache), *_check_servers(alias, cache)]


def _check_sharing(alias: str, cache: BaseCache) -> Iterator[CheckMessage]:
    if isinstance(cache, LocMemCache):
        message = f"The cache {alias!r} isn't shared between processes."
        yield warning(3, message, hint=SHARING_HINT)
    elif isinstance(cache, DummyCache):
        yield warning(4, f"The cache {alias!r} keeps nothing.", hint=DUMMY_HINT)


def _check_servers(alias: str, cache: BaseCache) -> Iterator[CheckMessage]:
    servers: Any = settings.CACHES[alias].get("LOCATION") or ()
    if isinstance(servers, str):
        servers = re.split("[;,]", servers)
    # Django's Redis backends write to the first server and read from the others, as
    # replicas. Other backends distribute their entries over the servers.
    if _is_redis(cache) and len(servers) > 1:
        message = f"The cache {alias!r} has {len(servers)} servers."
        yield error(9, message, hint=SERVERS_HINT)


def _is_redis(cache: BaseCache) -> bool:
    modules = [cls.__module__.lower() for cls in type(cache).__mro__]
    return any("redis" in name or "valkey" in name for name in modules)
