"""Statements as the ORM compiles them, with slots where their values go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, Q, QuerySet
from django.db.models.sql import UpdateQuery

from .instances import from_db
from .placeholders import (
    NotCompilable,
    Statement,
    placeholder_for,
    reads_sql,
    with_placeholders,
)

# Not one that Django gives.
SHORT_NAME = "t_1"


class CompiledSelect:
    """Reads rows, and perhaps those that a foreign key of them names."""

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        model: type[Model],
        condition: Q,
        related: str | None,
    ) -> None:
        self.model = model
        self.names = _attributes(model)
        rows = unfiltered(model, connection.alias)
        positions = count()
        rows = rows.filter(with_placeholders(condition, model, positions))
        self.relation: Any = None
        self.related_names: list[str] = []
        self.related_key = 0
        if related is not None:
            rows = rows.select_related(related)
            self.relation = model._meta.get_field(related)
            self.related_names = _attributes(self.relation.related_model)
            self.related_key = len(self.names) + self.related_names.index(
                self.relation.related_model._meta.pk.attname
            )
        query = _abbreviated(rows.query, related=self.relation)
        compiler: Any = query.get_compiler(connection=connection)
        self.statement = Statement(*compiler.as_sql()).takes(next(positions))
        selected = [column for column, _sql, _alias in compiler.select]
        fields = [column.target for column in selected]
        targets = [field.attname for field in fields]
        if targets != [*self.names, *self.related_names] or any(map(reads_sql, fields)):
            raise NotCompilable(self.statement.sql)
        # Those whose values are converted, by their positions.
        self.converted = {
            index: selected[index] for index in compiler.get_converters(selected)
        }

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
    # Each with the position of the value that it converts.
    converters: list[tuple[int, Callable[..., Any], Any]]

    def execute(
        self, connection: BaseDatabaseWrapper, values: Sequence[Any]
    ) -> list[Model]:
        statement = self.select.statement
        parameters = statement.prepare(values, connection)
        with connection.cursor() as cursor:
            cursor.execute(statement.sql, parameters)
            found = cursor.fetchall()
        return [self._row(list(row), connection) for row in found]

    def _row(self, values: list[Any], connection: BaseDatabaseWrapper) -> Model:
        for index, convert, expression in self.converters:
            values[index] = convert(values[index], expression, connection)
        select, using, own = self.select, connection.alias, len(self.select.names)
        row = from_db(select.model, using, select.names, values[:own])
        # Where there is no other row, Django tells so whoever asks for it.
        if select.relation is not None and values[select.related_key] is not None:
            model = select.relation.related_model
            related = from_db(model, using, select.related_names, values[own:])
            select.relation.set_cached_value(row, related)
        return row


class CompiledUpdate:
    """Changes columns of the rows that meet a condition."""

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
        slots = {
            name: placeholder_for(model, name, value, positions)
            for name, value in columns.items()
        }
        rows = unfiltered(model, connection.alias)
        rows = rows.filter(with_placeholders(condition, model, positions))
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values(slots)
        compiler = query.get_compiler(connection=connection)
        self.statement = Statement(*compiler.as_sql()).takes(next(positions))

    def bind(self, connection: BaseDatabaseWrapper) -> CompiledUpdate:
        """Itself: nothing of it belongs to a connection."""
        return self

    def execute(self, connection: BaseDatabaseWrapper, values: Sequence[Any]) -> int:
        parameters = self.statement.prepare(values, connection)
        # As QuerySet.update() does: a failure breaks the transaction around it.
        with (
            transaction.mark_for_rollback_on_error(using=connection.alias),
            connection.cursor() as cursor,
        ):
            cursor.execute(self.statement.sql, parameters)
            changed: int = cursor.rowcount
        return changed


def unfiltered(model: type[Model], using: str) -> QuerySet[Any]:
    """All of them, whatever the model's managers leave out."""
    return QuerySet(model, using=using)


def _abbreviated(query: Any, *, related: Any) -> Any:
    """The query with a short name for the table, where it is alone or has but one
    more, which the compiler adds.

    The name stands before each column. A long one would be most of the statement,
    which takes the longer to send and to read.
    """
    models = [query.model] if related is None else [query.model, related.related_model]
    has_parents = any(model._meta.parents for model in models)
    # Whatever the database makes of small and large letters, schemas and quotes.
    is_taken = any(SHORT_NAME in model._meta.db_table.lower() for model in models)
    if has_parents or is_taken or len(query.alias_map) != 1:
        return query
    short = query.clone()
    short.change_aliases({short.get_initial_alias(): SHORT_NAME})
    # A copy once more, for the query has kept the long one.
    return short.clone()


def _attributes(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]
