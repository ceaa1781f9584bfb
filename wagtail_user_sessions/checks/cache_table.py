"""Check of the table of a cache in the database, where ``backends.cached_db`` has it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.db import BaseDatabaseCache
from django.core.checks import CheckMessage, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connections, router

from wagtail_user_sessions.backends.cached_db import SessionStore
from wagtail_user_sessions.backends.engine import get_engine

from .messages import TAG, warning


@register(TAG, Tags.database)
def check_cache_table(
    databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Ask the databases that are named. A warning, as ``migrate`` comes before it."""
    cache = _database_cache() if databases else None
    if cache is None:
        return []
    model = cache.cache_model_class
    used = dict.fromkeys([router.db_for_write(model), router.db_for_read(model)])
    return [
        _missing_table(cache._table, db)
        for db in used
        if db in (databases or ()) and not _has_table(db, cache._table)
    ]


def _missing_table(table: str, db: str) -> CheckMessage:
    alias = settings.SESSION_CACHE_ALIAS
    if not table:
        message = f"The cache {alias!r} in the database has no LOCATION."
        return warning(21, message, hint='Name its table: LOCATION = "cache".')
    message = (
        f"The table {table!r} of the cache {alias!r} isn't in the database {db!r}."
    )
    hint = f"Create it: python manage.py createcachetable --database {db}"
    return warning(21, message, hint=hint)


def _database_cache() -> Any:
    """Return the cache if it is one in the database, else ``None``."""
    if not issubclass(get_engine(), SessionStore):
        return None
    with suppress(Exception):
        cache = caches[settings.SESSION_CACHE_ALIAS]
        return cache if isinstance(cache, BaseDatabaseCache) else None
    # check_cache() reports it.
    return None


def _has_table(alias: str, table: str) -> bool:
    """Return whether the table is there; true where that can't be told."""
    # A name with a schema is in no list of tables.
    if "." in table or '"' in table:
        return True
    try:
        tables = connections[alias].introspection.table_names(include_views=True)
    except (Error, ImproperlyConfigured):
        # Other checks and commands report an unreachable database.
        return True
    return table.casefold() in {name.casefold() for name in tables}
