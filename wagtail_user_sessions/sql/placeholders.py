"""Slots in statements: where a query takes its values from, each time anew."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BinaryField, Field, ForeignKey, Model, Q, Value


class NotCompilable(Exception):
    """The ORM has to build the query each time."""


class Placeholder(Value):
    """Where a statement takes a value of a field: the one of that position among
    the values that it is given.
    """

    position = 0

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        sql, parameters = super().as_sql(compiler, connection)
        if len(parameters) != 1:
            raise NotCompilable(sql)
        return sql, (Parameter(self.position, self.output_field, self.for_save),)


class Parameter(NamedTuple):
    """What is left of a slot in the SQL: nothing of the value it was made with."""

    position: int
    field: Any
    # Whether it is written, and not compared with.
    is_saved: bool

    def prepare(self, values: Sequence[Any], connection: BaseDatabaseWrapper) -> object:
        field, value = self.field, values[self.position]
        if self.is_saved:
            return field.get_db_prep_save(value, connection)
        return field.get_db_prep_value(value, connection)


@dataclass(frozen=True)
class Statement:
    """SQL, and what it takes: parameters, or None for NULL."""

    sql: str
    parameters: Sequence[Any]

    def takes(self, number: int) -> Statement:
        """The statement itself, if it takes so many values, each once, and no others.

        None may have been taken for good, by a field that looks into it; and what a
        field gives of its own may be for this query alone.
        """
        parameters = [one for one in self.parameters if one is not None]
        taken = [getattr(one, "position", number) for one in parameters]
        if sorted(taken) != list(range(number)):
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
    """The condition without its values, which are added to the list.

    None is no value: to ask for it takes another statement. So does another
    number of values, where a tuple has several to choose from.
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
    """The condition with slots in place of its values, in the order of ``shape``."""
    children: list[Any] = []
    for child in condition.children:
        if isinstance(child, Q):
            children.append(with_placeholders(child, model, positions))
        else:
            lookup, value = cast("tuple[str, Any]", child)
            if isinstance(value, tuple):
                slots: Any = [
                    placeholder_for(model, lookup, one, positions) for one in value
                ]
            else:
                slots = placeholder_for(model, lookup, value, positions)
            children.append((lookup, slots))
    return Q.create(children, condition.connector, condition.negated)


def placeholder_for(
    model: type[Model], lookup: str, value: object, positions: Iterator[int]
) -> Placeholder | None:
    """A slot for a value of the field that the lookup begins with."""
    if value is None:
        return None
    name = lookup.partition("__")[0]
    field = cast(
        "Field[Any, Any]",
        model._meta.pk if name == "pk" else model._meta.get_field(name),
    )
    if _writes_sql(field):
        raise NotCompilable(field)
    slot = Placeholder(value, output_field=field)
    slot.position = next(positions)
    return slot


def reads_sql(field: Field[Any, Any]) -> bool:
    """Whether the field is selected by SQL of its own."""
    methods = (getattr(type(field), name) for name in ("get_col", "select_format"))
    return not all(method.__module__.startswith("django.") for method in methods)


def _writes_sql(field: Field[Any, Any]) -> bool:
    """Whether the field's SQL, or what it saves, isn't that of Django's own fields."""
    target = field.target_field if isinstance(field, ForeignKey) else field
    return any(
        getattr(type(target), name, None)
        not in {None, getattr(BinaryField, name, None)}
        for name in ("get_placeholder", "get_placeholder_sql")
    )
