"""Statements that the ORM compiles, with placeholders for their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, Q, QuerySet
from django.db.models.sql import UpdateQuery

from . import prepared
from .instances import from_db
from .placeholders import (
    NotCompilable,
    Statement,
    has_select_sql,
    placeholder_for,
    with_placeholders,
)

# Alias of the table. Django itself gives none of this form.
SHORT_NAME = "t_1"


class CompiledSelect:
    """A query for rows, and for the rows that ``related``, a foreign key, refers to."""

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        model: type[Model],
        condition: Q,
        related: str | None,
        *,
        order_by: Sequence[Any] = (),
        limit: int | None = None,
    ) -> None:
        self.model = model
        self.names = _attributes(model)
        rows = unfiltered(model, connection.alias)
        positions = count()
        rows = rows.filter(with_placeholders(condition, model, positions))
        rows = rows.order_by(*order_by)[:limit]
        self.relation: Any = None
        self.related_names: list[str] = []
        self.related_key = 0
        if related is not None:
            rows = rows.select_related(related)
            self._set_relation(related)
        query = _abbreviated(rows.query, related=self.relation)
        compiler: Any = query.get_compiler(connection=connection)
        self.statement = Statement(*compiler.as_sql()).require_placeholders(
            next(positions)
        )
        selected = [column for column, _sql, _alias in compiler.select]
        fields = [column.target for column in selected]
        targets = [field.attname for field in fields]
        if targets != [*self.names, *self.related_names] or any(
            map(has_select_sql, fields)
        ):
            raise NotCompilable(self.statement.sql)
        # The columns with converters, by their positions.
        self.converted = {
            index: selected[index] for index in compiler.get_converters(selected)
        }

    def _set_relation(self, related: str) -> None:
        self.relation = self.model._meta.get_field(related)
        self.related_names = _attributes(self.relation.related_model)
        self.related_key = len(self.names) + self.related_names.index(
            self.relation.related_model._meta.pk.attname
        )

    def bind(self, connection: BaseDatabaseWrapper) -> BoundSelect:
        compiler: Any = unfiltered(self.model, connection.alias).query.get_compiler(
            connection=connection
        )
        found = compiler.get_converters(self.converted.values())
        positions = list(self.converted)
        converters = [
            (positions[number], convert, expression)
            for number, (converters, expression) in found.items()
            for convert in converters
        ]
        return BoundSelect(self, converters)


class BoundSelect(NamedTuple):
    select: CompiledSelect
    # Position of the value, function, and expression for the function.
    converters: list[tuple[int, Callable[..., Any], Any]]

    def execute(
        self, connection: BaseDatabaseWrapper, values: Sequence[Any]
    ) -> list[Model]:
        statement = self.select.statement
        parameters = statement.prepare(values, connection)
        with connection.cursor() as cursor:
            prepared.execute(cursor, statement.sql, parameters, connection)
            found = cursor.fetchall()
        return [self._row(list(row), connection) for row in found]

    def _row(self, values: list[Any], connection: BaseDatabaseWrapper) -> Model:
        for index, convert, expression in self.converters:
            values[index] = convert(values[index], expression, connection)
        select, using, own = self.select, connection.alias, len(self.select.names)
        row = from_db(select.model, using, select.names, values[:own])
        # Without a related row, Django raises its error when the attribute is read.
        if select.relation is not None and values[select.related_key] is not None:
            model = select.relation.related_model
            related = from_db(model, using, select.related_names, values[own:])
            select.relation.set_cached_value(row, related)
        return row


class CompiledUpdate:
    """An UPDATE of columns of the rows that meet a condition."""

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        model: type[Model],
        condition: Q,
        columns: Mapping[str, Any],
    ) -> None:
        if model._meta.parents:
            raise NotCompilable(model)
        positions = count()
        placeholders = {
            name: placeholder_for(model, name, value, positions)
            for name, value in columns.items()
        }
        rows = unfiltered(model, connection.alias)
        rows = rows.filter(with_placeholders(condition, model, positions))
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values(placeholders)
        compiler = query.get_compiler(connection=connection)
        self.statement = Statement(*compiler.as_sql()).require_placeholders(
            next(positions)
        )

    def bind(self, connection: BaseDatabaseWrapper) -> CompiledUpdate:
        """Return the query itself: nothing of it belongs to a connection."""
        return self

    def execute(self, connection: BaseDatabaseWrapper, values: Sequence[Any]) -> int:
        parameters = self.statement.prepare(values, connection)
        # As in QuerySet.update(), a failure marks the transaction for rollback.
        with (
            transaction.mark_for_rollback_on_error(using=connection.alias),
            connection.cursor() as cursor,
        ):
            prepared.execute(cursor, self.statement.sql, parameters, connection)
            changed: int = cursor.rowcount
        return changed


def unfiltered(model: type[Model], using: str) -> QuerySet[Any]:
    """Return all rows of the model, also those that its managers leave out."""
    return QuerySet(model, using=using)


def _abbreviated(query: Any, *, related: Any) -> Any:
    """Return the query with a short alias for the table, if it has only that table,
    or that one and the related one, which the compiler adds.

    The alias stands before each column. A long one would be most of the statement,
    which would take longer to send and to parse.
    """
    models = [query.model] if related is None else [query.model, related.related_model]
    has_parents = any(model._meta.parents for model in models)
    # Databases differ in letter case, schemas and quotes: any occurrence counts.
    is_taken = any(SHORT_NAME in model._meta.db_table.lower() for model in models)
    short = query.clone()
    # The ORM keeps joins that it has found not to be needed, with no reference.
    for alias, references in query.alias_refcount.items():
        if not references:
            del short.alias_map[alias], short.alias_refcount[alias]
    if has_parents or is_taken or len(short.alias_map) != 1:
        return query
    short.change_aliases({short.get_initial_alias(): SHORT_NAME})
    # Another clone, for this one has cached the long name.
    return short.clone()


def _attributes(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]
