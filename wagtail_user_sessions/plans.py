"""Statements that the ORM compiles once and that are then only executed.

Of what the session costs a page, most is the ORM's building of the same few
queries. Here each is built by the ORM, too, but once a connection: with slots
where its values go. Then it is executed with other values, which its fields
prepare, and what it answers goes through the fields' converters, as in the ORM.

A plan belongs to the connection it was compiled for, and is kept on it: the
converters are methods of the connection. All plans are dropped when a setting
changes. What can't be planned (an expression for a value, a model with parents, a
field that writes its own SQL) goes through the ORM, with the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import count
from typing import Any, TypeVar, cast

from django.core.signals import setting_changed
from django.db import Error, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, Q, QuerySet
from django.db.models.sql import UpdateQuery

from .instances import from_db
from .slots import Statement, Unplannable, shape, slot_for, slotted

Row = TypeVar("Row", bound=Model)
T = TypeVar("T")

ATTRIBUTE = "_wagtail_user_sessions_plans"
# Not one that Django gives.
SHORT_NAME = "t_1"


def read(
    model: type[Row], using: str, condition: Q, *, related: str | None = None
) -> Row | None:
    """The row of a condition that at most one row meets; ``None`` without one."""
    return next(iter(read_all(model, using, condition, related=related)), None)


def read_all(
    model: type[Row], using: str, condition: Q, *, related: str | None = None
) -> list[Row]:
    """The rows that meet a condition, in no order.

    ``related`` is a foreign key whose row is read in the same query, and then
    stands on the attribute of that name.
    """
    connection = connections[using]
    values: list[Any] = []
    key = (model, shape(condition, values), related)
    plan = _plan(connection, key, lambda: Select(connection, model, condition, related))
    if plan is not None:
        return cast("list[Row]", plan.execute(connection, values))
    rows = _rows(model, using).filter(condition)
    return list(rows.select_related(related) if related else rows)


def update(
    model: type[Model], using: str, condition: Q, columns: Mapping[str, Any]
) -> int:
    """Set the columns, by their attribute names; returns how many rows met the
    condition.
    """
    connection = connections[using]
    values = [value for value in columns.values() if value is not None]
    names = tuple((name, value is None) for name, value in columns.items())
    key = (model, names, shape(condition, values))
    plan = None
    if not any(hasattr(value, "resolve_expression") for value in values):
        plan = _plan(
            connection, key, lambda: Update(connection, model, condition, columns)
        )
    if plan is not None:
        return plan.execute(connection, values)
    return _rows(model, using).filter(condition).update(**columns)


class Select:
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
        rows = _rows(model, connection.alias)
        positions = count()
        rows = rows.filter(slotted(condition, model, positions))
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
        targets = [column.target.attname for column in selected]
        if targets != [*self.names, *self.related_names]:
            raise Unplannable(self.statement.sql)
        self.converters = [
            (index, convert, expression)
            for index, (converters, expression) in compiler.get_converters(
                selected
            ).items()
            for convert in converters
        ]

    def execute(
        self, connection: BaseDatabaseWrapper, values: Sequence[Any]
    ) -> list[Model]:
        parameters = self.statement.prepare(values, connection)
        with connection.cursor() as cursor:
            cursor.execute(self.statement.sql, parameters)
            found = cursor.fetchall()
        return [self._row(list(row), connection) for row in found]

    def _row(self, values: list[Any], connection: BaseDatabaseWrapper) -> Model:
        for index, convert, expression in self.converters:
            values[index] = convert(values[index], expression, connection)
        using, own = connection.alias, len(self.names)
        row = from_db(self.model, using, self.names, values[:own])
        # Where there is no other row, Django tells so whoever asks for it.
        if self.relation is not None and values[self.related_key] is not None:
            model = self.relation.related_model
            related = from_db(model, using, self.related_names, values[own:])
            self.relation.set_cached_value(row, related)
        return row


class Update:
    """Changes columns of the rows that meet a condition."""

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        model: type[Model],
        condition: Q,
        columns: Mapping[str, Any],
    ) -> None:
        if model._meta.parents:
            raise Unplannable(model)
        positions = count()
        slots = {
            name: slot_for(model, name, value, positions)
            for name, value in columns.items()
        }
        rows = _rows(model, connection.alias)
        rows = rows.filter(slotted(condition, model, positions))
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values(slots)
        compiler = query.get_compiler(connection=connection)
        self.statement = Statement(*compiler.as_sql()).takes(next(positions))

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


def _rows(model: type[Model], using: str) -> QuerySet[Any]:
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


# The plans of a connection

_generation = 0


def _plan(
    connection: BaseDatabaseWrapper, key: Hashable, build: Callable[[], T]
) -> T | None:
    """The plan of that key; ``None`` where it can't be made."""
    generation, plans = getattr(connection, ATTRIBUTE, (None, None))
    if plans is None or generation != _generation:
        plans = {}
        setattr(connection, ATTRIBUTE, (_generation, plans))
    if key not in plans:
        try:
            plans[key] = build()
        except Error:
            # Of the database, which may have a better moment.
            raise
        except Exception:
            # If it is an error of who asks, the ORM tells it.
            plans[key] = None
    return cast("T | None", plans[key])


def drop_plans(**_: object) -> None:
    global _generation
    _generation += 1


setting_changed.connect(drop_plans, dispatch_uid=__name__)
