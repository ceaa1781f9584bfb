"""Rows deleted and read with one statement: ``DELETE … RETURNING``.

No other transaction can change a row between its reading and its deletion, for both
are one statement. So no row has to be locked, and observers of the deletion get each
row as it last was.
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

# Other databases that return columns of an insert have another syntax for it.
VENDORS = {"postgresql", "sqlite", "mysql"}
PACKAGE = "wagtail_user_sessions"


class ReturningNotSupported(Exception):
    """The database can't return these rows: they must be read before the deletion."""


class DeleteReturning(Generic[Row]):
    """Delete the rows of a query set that is neither sliced nor combined.

    Raises ``ReturningNotSupported`` if the database can't return the rows, or if a
    subquery on other rows selects them: it would read those as they were before, and
    the statement would delete a row that no longer meets the condition.
    """

    def __init__(self, rows: QuerySet[Row], names: Sequence[str] = ()) -> None:
        """Take the attribute names (or ``pk``) of the columns to return; else all."""
        connection = connections[rows.db]
        if not _can_return(connection):
            raise ReturningNotSupported
        self._rows = rows.defer(None)
        # Only the columns of this query and their converters are used.
        reader = self._rows.values_list(*names) if names else self._rows
        self._reader: Any = reader.query.get_compiler(connection=connection)
        self._reader.setup_query()
        columns = ", ".join(column for _, (column, _), _ in self._reader.select)
        sql, self._parameters = _compile(self._rows, connection)
        self._sql = f"{sql} RETURNING {columns}"

    def values(self) -> Iterable[Sequence[Any]]:
        """Delete the rows; return their columns as they last were."""
        with self._reader.connection.cursor() as cursor:
            cursor.execute(self._sql, self._parameters)
            found = cursor.fetchall()
        values: Iterable[Sequence[Any]] = self._reader.results_iter([found])
        return values

    def rows(self) -> list[Row]:
        """Delete the rows; return them as they last were."""
        model, using = self._rows.model, self._rows.db
        names = [column.target.attname for column, _, _ in self._reader.select]
        deleted = [from_db(model, using, names, row) for row in self.values()]
        self._relate(deleted)
        return deleted

    def _relate(self, deleted: list[Row]) -> None:
        """Set related objects that the query set knows: ``user.session_set``'s user."""
        known: Any = self._rows._known_related_objects  # type: ignore[attr-defined]
        for field, related in known.items():
            for row in deleted:
                # A query set that was combined by | has rows of other users, too. The
                # rows are deleted already, so a missing object must be no error.
                value = related.get(getattr(row, field.attname))
                if value is not None:
                    field.set_cached_value(row, value)


def fast_delete(rows: QuerySet[Any]) -> int:
    """Delete rows whose deletion has no observers; return their number.

    Raises ``ReturningNotSupported`` if it isn't a plain ``DELETE``.
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
    """Return the statement that deletes the rows, and its parameters.

    Raises ``ReturningNotSupported`` if it isn't a plain ``DELETE`` from one table.
    """
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
    # Those of VENDORS that return columns of an insert return those of a deletion, too.
    can_return: bool = connection.features.can_return_columns_from_insert
    return can_return and connection.vendor in VENDORS


def has_delete_side_effects(model: type[models.Model]) -> bool:
    """Return whether deleting a row has side effects: delete receivers of the site,
    cascades, or parent tables. If so, Django's collector must delete it.
    """
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
    """Return whether the signal has receivers that aren't this package's own."""
    if not signal.has_listeners(model):
        return False
    return any(
        not f"{getattr(receiver, '__module__', '')}.".startswith(f"{PACKAGE}.")
        for receivers in signal._live_receivers(model)
        for receiver in receivers
    )
