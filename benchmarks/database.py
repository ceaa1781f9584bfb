"""The database of a benchmark: create and drop it, and measure it."""

from __future__ import annotations

import psycopg
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from .settings import MAINTENANCE_DATABASE


def create() -> None:
    """Make the database anew, with all tables empty."""
    drop()
    maintain(sql.SQL("CREATE DATABASE {}").format(_identifier()))
    call_command("migrate", verbosity=0)


def drop() -> None:
    connection.close()
    maintain(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(_identifier()))


def exists() -> bool:
    with _maintenance() as server:
        found = server.execute(
            "SELECT FROM pg_database WHERE datname = %s", [_name()]
        ).fetchone()
    return found is not None


def vacuum() -> None:
    """Vacuum, analyze and flush now, so that the server doesn't while we measure."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")


def version() -> str:
    """Such as "PostgreSQL 15"."""
    return f"PostgreSQL {connection.cursor().connection.info.server_version // 10000}"


def megabytes(table: str) -> tuple[int, int]:
    """Return the sizes of the table and of its indexes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_table_size(%s), pg_indexes_size(%s)", [table, table])
        heap, indexes = cursor.fetchone()
    return heap // 1024**2, indexes // 1024**2


def maintain(statement: sql.Composed) -> None:
    """Execute a statement about the database, from another database."""
    with _maintenance() as server:
        server.execute(statement)


def _maintenance() -> psycopg.Connection:
    options = connection.settings_dict
    return psycopg.connect(
        dbname=MAINTENANCE_DATABASE,
        user=options["USER"],
        password=options["PASSWORD"],
        host=options["HOST"],
        port=options["PORT"] or None,
        autocommit=True,
    )


def _identifier() -> sql.Identifier:
    return sql.Identifier(_name())


def _name() -> str:
    name: str = connection.settings_dict["NAME"]
    return name
