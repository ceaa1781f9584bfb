"""Rows deleted and read with one statement: ``DELETE … RETURNING``.

Nobody can change a row between its reading and its deletion, for both are one. So
none has to be locked, and none is told of as it was before somebody changed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, QuerySet
from django.db.models.signals import post_delete, pre_delete
from django.db.models.sql import DeleteQuery
from django.dispatch import Signal

from .instances import from_db

Row = TypeVar("Row", bound=Model)

# Others that return columns, as of an insert, do so in words of their own.
VENDORS = {"postgresql", "sqlite", "mysql"}
PACKAGE = "wagtail_user_sessions"


class ReturningNotSupported(Exception):
    """The rows have to be read before they are deleted."""


class DeleteReturning(Generic[Row]):
    """Deletes the rows of a query set that is neither sliced nor combined.

    Raises ``Unreturnable`` where the database can't return them, and where they
    are chosen by other rows: those would be read as they were before, and a row
    deleted that meanwhile isn't of the chosen any more.
    """

    def __init__(self, rows: QuerySet[Row], names: Sequence[str] = ()) -> None:
        """Returns the columns of these attribute names (or ``pk``); else all."""
        connection = connections[rows.db]
        if not _can_return(connection):
            raise ReturningNotSupported
        self._rows = rows.defer(None)
        # Of this only the columns are used, and what converts their values.
        reader = self._rows.values_list(*names) if names else self._rows
        self._reader: Any = reader.query.get_compiler(connection=connection)
        self._reader.setup_query()
        columns = ", ".join(column for _, (column, _), _ in self._reader.select)
        sql, self._parameters = _compile(self._rows, connection)
        self._sql = f"{sql} RETURNING {columns}"

    def values(self) -> Iterable[Sequence[Any]]:
        """Delete the rows; returns the columns as they then were."""
        with self._reader.connection.cursor() as cursor:
            cursor.execute(self._sql, self._parameters)
            found = cursor.fetchall()
        values: Iterable[Sequence[Any]] = self._reader.results_iter([found])
        return values

    def rows(self) -> list[Row]:
        """Delete the rows; returns them as they then were."""
        model, using = self._rows.model, self._rows.db
        names = [column.target.attname for column, _, _ in self._reader.select]
        deleted = [from_db(model, using, names, row) for row in self.values()]
        self._relate(deleted)
        return deleted

    def _relate(self, deleted: list[Row]) -> None:
        """Their user, for example, is known of rows of ``user.session_set``."""
        known: Any = self._rows._known_related_objects  # type: ignore[attr-defined]
        for field, related in known.items():
            for row in deleted:
                # A union has rows of others, too. The rows have gone: nothing may fail.
                value = related.get(getattr(row, field.attname))
                if value is not None:
                    field.set_cached_value(row, value)


def fast_delete(rows: QuerySet[Any]) -> int:
    """Delete rows that nobody is told of; returns how many there were.

    Raises ``Unreturnable`` for what ``Deletion`` does.
    """
    connection = connections[rows.db]
    statement = _compile(rows, connection)
    with (
        transaction.mark_for_rollback_on_error(using=rows.db),
        connection.cursor() as cursor,
    ):
        cursor.execute(*statement)
        count: int = cursor.rowcount
    return count


def _compile(rows: QuerySet[Any], connection: BaseDatabaseWrapper) -> tuple[str, Any]:
    """The statement that deletes the rows, and its parameters."""
    if rows.query.extra_tables:
        raise ReturningNotSupported
    query: Any = rows.query.chain(DeleteQuery)
    try:
        sql, parameters = query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet as error:
        raise ReturningNotSupported from error
    if "SELECT" in sql or not sql.startswith("DELETE FROM"):
        raise ReturningNotSupported(sql)
    return sql, parameters


def _can_return(connection: BaseDatabaseWrapper) -> bool:
    # Whichever of these can return columns of an insert can do so of a deletion.
    can_return: bool = connection.features.can_return_columns_from_insert
    return can_return and connection.vendor in VENDORS


def has_delete_side_effects(model: type[models.Model]) -> bool:
    """Whether the site itself listens to deletions, or has rows that go along."""
    has_dependents = any(
        (field.auto_created and not field.concrete)
        or hasattr(field, "bulk_related_objects")
        for field in model._meta.get_fields(include_hidden=True)
    )
    return (
        has_dependents
        or bool(model._meta.parents)
        or has_site_receivers(pre_delete, model)
        or has_site_receivers(post_delete, model)
    )


def has_site_receivers(signal: Signal, model: type[models.Model]) -> bool:
    """Whether anybody but this package listens to the signal."""
    if not signal.has_listeners(model):
        return False
    return any(
        not f"{getattr(receiver, '__module__', '')}.".startswith(f"{PACKAGE}.")
        for receivers in signal._live_receivers(model)
        for receiver in receivers
    )
