"""A timeout for statements, on databases that support one (PostgreSQL)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, transaction

# SQLSTATE of a statement that was cancelled.
QUERY_CANCELED = "57014"


class StatementTimeout(Exception):
    """The statement was cancelled after the timeout, and has changed nothing."""


def supports_timeout(using: str) -> bool:
    """Return whether a statement can be cancelled by a timeout and repeated.

    It can't inside a transaction of the caller, which would be lost.
    """
    connection = transaction.get_connection(using)
    return (
        connection.vendor == "postgresql"
        and not connection.in_atomic_block
        and connection.get_autocommit()
    )


@contextmanager
def statement_timeout(using: str, *, seconds: float | None) -> Iterator[None]:
    """Cancel a statement of the block that takes longer, where that is supported.

    The block is a transaction of its own. Raises ``StatementTimeout`` after it was
    rolled back. Without ``seconds`` or support, the block runs as it is.
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
        was_cancelled = _sqlstate(error) == QUERY_CANCELED
        # Before the timeout, only another client can have cancelled it.
        if was_cancelled and time.perf_counter() - start >= seconds:
            raise StatementTimeout from error
        raise


def _set_timeout(using: str, seconds: float) -> None:
    """Set the timeout for this transaction only: a pooler may share the connection."""
    with transaction.get_connection(using).cursor() as cursor:
        milliseconds = str(int(seconds * 1000))
        cursor.execute(
            "SELECT set_config('statement_timeout', %s, true)", [milliseconds]
        )


def _sqlstate(error: OperationalError) -> str | None:
    """Return the SQLSTATE, which psycopg and psycopg2 name differently."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
