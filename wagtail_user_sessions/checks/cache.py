"""Checks of the cache that ``backends.cached_db`` uses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.cache import BaseCache, caches
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.checks import CheckMessage, register

from wagtail_user_sessions.backends.cached_db import SessionStore
from wagtail_user_sessions.backends.engine import get_engine
from wagtail_user_sessions.cache.backend import SharedRedisCache, get_session_cache
from wagtail_user_sessions.conf import Conf

from .cache_client import make_client, missing_package, package_of
from .messages import TAG, error, warning

INSTALL_HINT = (
    "Install it (pip install {name}), or correct the entry of CACHES that names it. "
    'The engine "wagtail_user_sessions.backends.db" needs no cache.'
)
# Packages of backends and drivers that are installed by another name.
INSTALL_NAMES = {
    "bmemcached": "python-binary-memcached",
    "redis_cache": "django-redis-cache",
}
CACHE_HINT = "Name one of CACHES that all processes share, such as Redis."
SHARING_HINT = (
    "Use one that is, such as Redis, or the engine "
    '"wagtail_user_sessions.backends.db". Here a visitor\'s page may show what '
    "another process has changed since, for as long as "
    f"{Conf.CACHE_MAX_AGE.name} seconds."
)
DUMMY_HINT = 'Use one that does, or the engine "wagtail_user_sessions.backends.db".'
SERVERS_HINT = (
    "Name one server in its LOCATION: a replica lags behind, so that a visitor's "
    "page may show what was there before a change, for as long as "
    f"{Conf.CACHE_MAX_AGE.name} seconds."
)
TIMEOUT_HINT = (
    "Name one of less than a second in its OPTIONS: {option}. A page of a visitor "
    "waits for as long when the cache is silent, or without end."
)
# The option that limits how long a cache is waited for, by a word in its module.
# Django's own Redis backend gets short ones where the process shares one client.
TIMEOUT_OPTIONS = {
    "django.core.cache.backends.redis": "socket_timeout",
    "django_redis": "SOCKET_TIMEOUT",
    "django_valkey": "SOCKET_TIMEOUT",
    "pymemcache": "timeout",
}


@register(TAG)
def check_cache(**kwargs: Any) -> list[CheckMessage]:
    if not issubclass(get_engine(), SessionStore):
        return []
    alias = settings.SESSION_CACHE_ALIAS
    try:
        cache = caches[alias]
        make_client(alias)
    except Exception as failure:
        return [_unusable(alias, failure)]
    return [
        *_check_sharing(alias, cache),
        *_check_servers(alias, cache),
        *_check_timeout(alias),
    ]


def _unusable(alias: str, failure: Exception) -> CheckMessage:
    missing = missing_package(failure)
    name = INSTALL_NAMES.get(missing or "", (missing or "").replace("_", "-"))
    hint = INSTALL_HINT.format(name=name) if missing else CACHE_HINT
    if missing and missing != _backend_package(alias):
        message = f"The cache {alias!r} needs {missing!r}, which can't be imported."
        return error(14, message, hint=hint)
    message = f"SESSION_CACHE_ALIAS {alias!r} can't be used: {failure}"
    return error(8, message, hint=hint)


def _backend_package(alias: str) -> str | None:
    with suppress(Exception):
        return package_of(settings.CACHES[alias]["BACKEND"])
    return None


def _check_sharing(alias: str, cache: BaseCache) -> Iterator[CheckMessage]:
    if isinstance(cache, LocMemCache):
        message = f"The cache {alias!r} isn't shared between processes."
        yield warning(3, message, hint=SHARING_HINT)
    elif isinstance(cache, DummyCache):
        yield warning(4, f"The cache {alias!r} keeps nothing.", hint=DUMMY_HINT)


def _check_servers(alias: str, cache: BaseCache) -> Iterator[CheckMessage]:
    servers: Any = _location(alias) or ()
    if isinstance(servers, str):
        servers = re.split("[;,]", servers)
    # Django's Redis backends write to the first server and read from the others, as
    # replicas. Other backends distribute their entries over the servers.
    if _is_redis(cache) and len(servers) > 1:
        message = f"The cache {alias!r} has {len(servers)} servers."
        yield warning(12, message, hint=SERVERS_HINT)


def _check_timeout(alias: str) -> Iterator[CheckMessage]:
    cache = get_session_cache()
    option = _timeout_option(cache)
    if option is None or isinstance(cache, SharedRedisCache):
        return
    options = settings.CACHES[alias].get("OPTIONS", {})
    names = {str(name).lower() for name in options}
    names |= {str(name).lower() for name in options.get("CONNECTION_POOL_KWARGS", {})}
    # A URL may name it too, in its query.
    if option.lower() not in names and f"{option}=" not in str(_location(alias)):
        message = f"The cache {alias!r} names no time-out."
        yield warning(13, message, hint=TIMEOUT_HINT.format(option=option))


def _timeout_option(cache: BaseCache) -> str | None:
    """Return the option's name; ``None`` for a cache that waits for no server."""
    path = " ".join(f"{cls.__module__}.{cls.__name__}" for cls in type(cache).__mro__)
    for word, option in TIMEOUT_OPTIONS.items():
        if word in path.lower():
            return option
    return None


def _location(alias: str) -> Any:
    return settings.CACHES[alias].get("LOCATION", "")


def _is_redis(cache: BaseCache) -> bool:
    modules = [cls.__module__.lower() for cls in type(cache).__mro__]
    return any("redis" in name or "valkey" in name for name in modules)
