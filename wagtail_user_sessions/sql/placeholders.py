"""Placeholders of a compiled query: each execution gives other values for them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BinaryField, Field, ForeignKey, Model, Q, Value


class NotCompilable(Exception):
    """The query can't be compiled once: the ORM has to build it each time."""


class Placeholder(Value):
    """Placeholder for one query parameter.

    ``position`` is its index in the values passed to ``execute()``.
    """

    position = 0

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        sql, parameters = super().as_sql(compiler, connection)
        if len(parameters) != 1:
            raise NotCompilable(sql)
        return sql, (Parameter(self.position, self.output_field, self.for_save),)


class Parameter(NamedTuple):
    """A placeholder in the SQL's parameters: its position and field, without a value.

    The value that the query was compiled with belongs to one session only.
    """

    position: int
    field: Any
    # Whether the value is written to a column, not compared with it.
    is_saved: bool

    def prepare(self, values: Sequence[Any], connection: BaseDatabaseWrapper) -> object:
        field, value = self.field, values[self.position]
        if self.is_saved:
            return field.get_db_prep_save(value, connection)
        return field.get_db_prep_value(value, connection)


@dataclass(frozen=True)
class Statement:
    """SQL and its parameters; None stands for NULL."""

    sql: str
    parameters: Sequence[Any]

    def require_placeholders(self, number: int) -> Statement:
        """Return the statement; raise ``NotCompilable`` unless its parameters are
        exactly this number of placeholders.

        A field that prepares its values by itself may have put the first value into
        the parameters for good, and a parameter that a field adds may hold for this
        query only.
        """
        parameters = [one for one in self.parameters if one is not None]
        positions = [getattr(one, "position", number) for one in parameters]
        if sorted(positions) != list(range(number)):
            raise NotCompilable(self.sql)
        return self

    def prepare(
        self, values: Sequence[Any], connection: BaseDatabaseWrapper
    ) -> list[Any]:
        return [
            None if one is None else one.prepare(values, connection)
            for one in self.parameters
        ]


def query_key(condition: Q, values: list[Any]) -> Hashable:
    """Return the shape of a condition, and append its values to the list.

    None is part of the shape, for a comparison with NULL has other SQL. So is the
    number of values in a tuple.
    """
    parts: list[Hashable] = [condition.connector, condition.negated]
    for child in condition.children:
        if isinstance(child, Q):
            parts.append(query_key(child, values))
        else:
            lookup, value = cast("tuple[str, Any]", child)
            if isinstance(value, tuple):
                parts.append((lookup, len(value)))
                values.extend(value)
            else:
                parts.append((lookup, value is None))
                if value is not None:
                    values.append(value)
    return tuple(parts)


def with_placeholders(condition: Q, model: type[Model], positions: Iterator[int]) -> Q:
    """Return the condition with placeholders for its values, in query_key()'s order."""
    children: list[Any] = []
    for child in condition.children:
        if isinstance(child, Q):
            children.append(with_placeholders(child, model, positions))
        else:
            lookup, value = cast("tuple[str, Any]", child)
            if isinstance(value, tuple):
                replaced: Any = [
                    placeholder_for(model, lookup, one, positions) for one in value
                ]
            else:
                replaced = placeholder_for(model, lookup, value, positions)
            children.append((lookup, replaced))
    return Q.create(children, condition.connector, condition.negated)


def placeholder_for(
    model: type[Model], lookup: str, value: object, positions: Iterator[int]
) -> Placeholder | None:
    """Return a placeholder for a value of the field that the lookup begins with.

    None, which is NULL in the SQL, has no placeholder. Raises ``NotCompilable``.
    """
    if value is None:
        return None
    name = lookup.partition("__")[0]
    field = cast(
        "Field[Any, Any]",
        model._meta.pk if name == "pk" else model._meta.get_field(name),
    )
    if _has_placeholder_sql(field):
        raise NotCompilable(field)
    placeholder = Placeholder(value, output_field=field)
    placeholder.position = next(positions)
    return placeholder


def has_select_sql(field: Field[Any, Any]) -> bool:
    """Return whether the field is selected by SQL of its own."""
    methods = (getattr(type(field), name) for name in ("get_col", "select_format"))
    return not all(method.__module__.startswith("django.") for method in methods)


def _has_placeholder_sql(field: Field[Any, Any]) -> bool:
    """Return whether the field writes SQL of its own around a value's placeholder."""
    target = field.target_field if isinstance(field, ForeignKey) else field
    return any(
        getattr(type(target), name, None)
        not in {None, getattr(BinaryField, name, None)}
        for name in ("get_placeholder", "get_placeholder_sql")
    )
