"""Compiled statements that PostgreSQL prepares, and so plans once a connection.

The name of a prepared statement belongs to a connection of the server. A pooler hands
that on from client to client, and the statements with it. Here a name is made from
the hash of the SQL: whoever has prepared it, it is the statement that is meant.

Parameters are bound by psycopg 3 in the client, as Django does unless told otherwise,
for ``EXECUTE`` takes none from the protocol. Source:
https://www.postgresql.org/docs/current/sql-prepare.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from typing import Any

from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from wagtail_user_sessions.conf import conf

# The use of a statement, on a connection, that prepares it. psycopg has the same.
THRESHOLD = 5
# The most statements that a connection prepares.
MAX_PREPARED = 100
# The most statements whose uses a connection counts.
MAX_COUNTED = 1000
# The least losses after which a connection prepares no more, if they are many.
MIN_LOST = 20

# SQLSTATE of a statement that another client has prepared.
EXISTS = "42P05"
# Class of the SQLSTATE of a statement that the server doesn't have.
LOST = "26"
# Classes of the SQLSTATEs of a statement whose columns or parameters had other types
# when it was prepared.
ALTERED = frozenset({"0A", "22", "42"})

ATTRIBUTE = "_wagtail_user_sessions_prepared"


@dataclass(frozen=True)
class Preparation:
    """The SQL that prepares a statement, and the SQL that executes it."""

    prepare: str
    execute: str

    @classmethod
    def of(cls, sql: str) -> Preparation:
        """Return the preparation of a statement with ``%s`` for its parameters."""
        name = f"wus_{sha256(sql.encode()).hexdigest()[:32]}"
        numbers = count(1)
        numbered = re.sub(
            "%[%s]", lambda found: "%" if found[0] == "%%" else f"${next(numbers)}", sql
        )
        parameters = ", ".join(["%s"] * (next(numbers) - 1))
        return cls(
            f"PREPARE {name} AS {numbered}",
            f"EXECUTE {name} ({parameters})" if parameters else f"EXECUTE {name}",
        )


@dataclass
class Known:
    """What a connection of the driver knows of its statements."""

    # Whether a statement may be gone when it is next used: a pooler may choose another
    # connection of the server, and a pool may reset this one. ``None``: not asked yet.
    loses_statements: bool | None = None
    uses: Counter[str] = field(default_factory=Counter)
    prepared: dict[str, Preparation] = field(default_factory=dict)
    # Statements that can't be prepared.
    refused: set[str] = field(default_factory=set)
    executions: int = 0
    losses: int = 0

    def is_due(self, sql: str) -> bool:
        """Count a use of a statement; return whether it is time to prepare it."""
        if sql in self.refused or self.gives_up:
            return False
        if len(self.uses) >= MAX_COUNTED:
            self.uses.clear()
        self.uses[sql] += 1
        kept = len(self.prepared) + len(self.refused)
        return self.uses[sql] >= THRESHOLD and kept < MAX_PREPARED

    @property
    def gives_up(self) -> bool:
        """Whether half of the executions fail, as behind a pooler that resets often."""
        return self.losses >= max(MIN_LOST, self.executions / 2)

    def forget(self, sql: str, *, is_lost: bool) -> None:
        """Note that a prepared statement could not be executed."""
        self.prepared.pop(sql, None)
        if is_lost:
            self.loses_statements = True
            self.losses += 1
        else:
            self.refused.add(sql)


def execute(
    cursor: CursorWrapper,
    sql: str,
    parameters: Sequence[Any],
    connection: BaseDatabaseWrapper,
) -> None:
    """Execute a compiled statement, prepared where the site asks for it and it can be.

    A statement that isn't prepared after all is executed as it stands. Inside a
    transaction, which an error would break, nothing is prepared, and executed is only
    what this connection has prepared itself, unless it has lost a statement before.
    """
    if not conf.PREPARED_STATEMENTS or not can_prepare(connection):
        cursor.execute(sql, parameters)
        return
    known = _known(connection)
    preparation = _prepared(known, cursor, sql, connection)
    if preparation is None:
        cursor.execute(sql, parameters)
        return
    known.executions += 1
    try:
        cursor.execute(preparation.execute, parameters)
    except Error as error:
        kind = _sqlstate(error)[:2]
        if kind != LOST and kind not in ALTERED:
            raise
        known.forget(sql, is_lost=kind == LOST)
        if _in_transaction(connection):
            raise
        # What has failed has changed nothing. If these values are wrong, the
        # statement as it stands raises the error.
        cursor.execute(sql, parameters)


def can_prepare(connection: BaseDatabaseWrapper) -> bool:
    """Return whether statements of the connection can be prepared."""
    options = connection.settings_dict["OPTIONS"]
    return (
        connection.vendor == "postgresql"
        and not options.get("server_side_binding")
        and connection.Database.__name__ == "psycopg"  # type: ignore[attr-defined]
    )


def _known(connection: BaseDatabaseWrapper) -> Known:
    # Kept on the driver's connection: Django's wrapper may get another one.
    attributes = vars(connection.connection)
    known: Known = attributes.setdefault(ATTRIBUTE, Known())
    return known


def _prepared(
    known: Known, cursor: CursorWrapper, sql: str, connection: BaseDatabaseWrapper
) -> Preparation | None:
    """Return the preparation of a statement that may be executed; ``None`` if not."""
    found = known.prepared.get(sql)
    if _in_transaction(connection):
        return None if known.loses_statements else found
    if found is None and known.is_due(sql):
        if known.loses_statements is None:
            known.loses_statements = _is_pooled(cursor, connection)
        found = _prepare(known, cursor, sql)
    return found


def _prepare(known: Known, cursor: CursorWrapper, sql: str) -> Preparation | None:
    """Prepare a statement; return ``None`` if that can't be done."""
    preparation = Preparation.of(sql)
    try:
        cursor.execute(preparation.prepare)
    except Error as error:
        state = _sqlstate(error)
        if state != EXISTS:
            if state[:2] not in ALTERED:
                raise
            known.refused.add(sql)
            return None
    known.prepared[sql] = preparation
    return preparation


def _in_transaction(connection: BaseDatabaseWrapper) -> bool:
    # The driver also knows of a transaction that was begun by hand; 0 is none.
    status: int = connection.connection.info.transaction_status
    return connection.in_atomic_block or not connection.autocommit or status != 0


def _is_pooled(cursor: CursorWrapper, connection: BaseDatabaseWrapper) -> bool:
    # A pooler gives its clients a process number that it makes up.
    cursor.execute("SELECT pg_backend_pid()")
    return bool(cursor.fetchone() != (connection.connection.info.backend_pid,))


def _sqlstate(error: Error) -> str:
    return getattr(error.__cause__, "sqlstate", None) or ""
