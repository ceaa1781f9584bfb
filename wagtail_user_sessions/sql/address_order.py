"""IP addresses in the order of their numbers, on each database."""

from __future__ import annotations

import socket
from typing import Any
from weakref import WeakKeyDictionary

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BinaryField, Func
from django.db.models.expressions import OrderBy

SQLITE_FUNCTION = "wagtail_user_sessions_address"
NO_ADDRESS = b"\xff"
# The SQLite connections that know the function.
_prepared: WeakKeyDictionary[BaseDatabaseWrapper, object] = WeakKeyDictionary()


class AddressNumber(Func):
    """The number of an address, to sort by.

    Addresses of IPv4 come before those of IPv6, and these before no address: so
    PostgreSQL sorts its own type. Elsewhere the column is text, of which this makes
    the version followed by the bytes.
    """

    arity = 1
    template = "%(expressions)s"
    output_field = BinaryField()

    def as_mysql(self, compiler: Any, connection: Any, **kwargs: Any) -> Any:
        version = "IF(INSTR(%(expressions)s, ':'), '6', '4')"
        number = f"CONCAT({version}, INET6_ATON(%(expressions)s))"
        template = f"COALESCE({number}, CHAR(255))"
        return self.as_sql(compiler, connection, template=template, **kwargs)

    def as_sqlite(self, compiler: Any, connection: Any, **kwargs: Any) -> Any:
        _prepare(connection)
        template = f"{SQLITE_FUNCTION}(%(expressions)s)"
        return self.as_sql(compiler, connection, template=template, **kwargs)


def by_address(name: str, *, descending: bool = False) -> OrderBy:
    """Return the ordering by the column ``name``."""
    return OrderBy(AddressNumber(name), descending=descending)


def _prepare(connection: BaseDatabaseWrapper) -> None:
    """Define the function, once: SQLite refuses it while statements are running."""
    connection.ensure_connection()
    opened: Any = connection.connection
    if _prepared.get(connection) is not opened:
        opened.create_function(SQLITE_FUNCTION, 1, _number, deterministic=True)
        _prepared[connection] = opened


def _number(text: str | None) -> bytes:
    if text is None:
        return NO_ADDRESS
    is_v6 = ":" in text
    try:
        packed = socket.inet_pton(socket.AF_INET6 if is_v6 else socket.AF_INET, text)
    except OSError:
        return NO_ADDRESS
    return (b"6" if is_v6 else b"4") + packed
