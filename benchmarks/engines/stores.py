"""The database and the cache of one engine."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, cast

from django.core.cache import caches
from django.core.management import call_command
from django.db import connection

from benchmarks import database

from .settings import NAME


def create() -> None:
    if connection.vendor == "postgresql":
        database.create()
    else:
        call_command("migrate", verbosity=0)


def vacuum() -> None:
    if connection.vendor == "postgresql":
        database.vacuum()


def remove() -> None:
    client = _redis()
    for key in client.scan_iter(match=f"{NAME}:*", count=1000):
        client.delete(key)
    if connection.vendor == "postgresql":
        database.drop()
    else:
        connection.close()
        Path(connection.settings_dict["NAME"]).unlink(missing_ok=True)


def versions() -> list[str]:
    """Return names and versions, such as "PostgreSQL 15" and "Redis 7.0.1"."""
    is_sqlite = connection.vendor == "sqlite"
    name = f"SQLite {sqlite3.sqlite_version}" if is_sqlite else database.version()
    return [name, f"Redis {_redis().info()['redis_version']}"]


def _redis() -> Any:
    return cast(Any, caches["default"])._cache.get_client(write=True)
