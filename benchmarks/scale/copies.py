"""The filled database, and a fresh copy for each measurement that changes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from psycopg import sql

from benchmarks import data, database

FILLED = "benchmark_user_sessions_scale_original"
# Half of all rows expire in the past, most of them long ago.
EXPIRE = """
UPDATE wagtail_user_sessions_session SET expire_date = CASE
    WHEN random() < 0.5 THEN now() - interval '30 days' * random() - interval '1 minute'
    ELSE now() + interval '14 days' * random() + interval '1 hour' END
"""


def prepare(*, rows: int, users: int) -> None:
    database.create()
    data.fill(rows=rows, users=users)
    with connection.cursor() as cursor:
        cursor.execute(EXPIRE)
        cursor.execute("VACUUM (FULL, ANALYZE) wagtail_user_sessions_session")
    database.vacuum()
    connection.close()
    database.maintain(
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
            _working(), sql.Identifier(FILLED)
        )
    )


@contextmanager
def fresh() -> Iterator[None]:
    """Make a copy of the filled database for the block, and drop it afterwards."""
    database.drop()
    database.maintain(
        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            _working(), sql.Identifier(FILLED)
        )
    )
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
    try:
        yield
    finally:
        database.drop()


def drop() -> None:
    database.drop()
    database.maintain(
        sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
            sql.Identifier(FILLED)
        )
    )


def _working() -> sql.Identifier:
    return sql.Identifier(connection.settings_dict["NAME"])
