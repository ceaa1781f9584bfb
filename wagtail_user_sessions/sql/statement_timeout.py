"""Statements that are given up if they take too long, where the database can do so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, transaction

# SQLSTATE of a statement that was given up.
QUERY_CANCELED = "57014"


class StatementTimeout(Exception):
    """The statement was given up, and has changed nothing."""


def supports_timeout(using: str) -> bool:
    """Whether a statement can be given up, and done again: not inside a
    transaction of the caller's, which would be lost.
    """
    connection = transaction.get_connection(using)
    return (
        connection.vendor == "postgresql"
        and not connection.in_atomic_block
        and connection.get_autocommit()
    )


@contextmanager
def statement_timeout(using: str, *, seconds: float | None) -> Iterator[None]:
    """Gives up a statement that takes longer than this, where that is possible.

    In a transaction of its own: ``TookTooLongError`` says that it was rolled back.
    """
    if seconds is None or not supports_timeout(using):
        yield
        return
    start = time.perf_counter()
    try:
        with transaction.atomic(using=using):
            _set_timeout(using, seconds)
            yield
    except OperationalError as error:
        was_given_up = _sqlstate(error) == QUERY_CANCELED
        # Sooner, it was somebody else who stopped it.
        if was_given_up and time.perf_counter() - start >= seconds:
            raise StatementTimeout from error
        raise


def _set_timeout(using: str, seconds: float) -> None:
    """Until the end of the transaction: the connection may be a pooler's."""
    with transaction.get_connection(using).cursor() as cursor:
        milliseconds = str(int(seconds * 1000))
        cursor.execute(
            "SELECT set_config('statement_timeout', %s, true)", [milliseconds]
        )


def _sqlstate(error: OperationalError) -> str | None:
    """Of psycopg, or of psycopg2."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
