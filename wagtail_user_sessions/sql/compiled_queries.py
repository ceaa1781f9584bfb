"""Statements that the ORM compiles once and that are then only executed.

Of what the session costs a page, most is the ORM's building of the same few
queries. Here each is built by the ORM, too, but once a process: with slots
where its values go. Then it is executed with other values, which its fields
prepare, and what it answers goes through the fields' converters, as in the ORM.

Under ASGI each request has a connection of its own. So a plan holds for all connections
of an alias and its settings, if their classes are Django's: others may write their SQL
as they like. Bound to a connection, with the converters, which are methods of it, it is
kept on that one. All plans are dropped when a setting changes.

What can't be planned (an expression for a value, a model with parents, a field with
SQL of its own) goes through the ORM, with the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from django.core.signals import setting_changed
from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, Q

from .placeholders import query_key
from .query_compiler import CompiledSelect, CompiledUpdate, unfiltered

Row = TypeVar("Row", bound=Model)

Build = Callable[[], CompiledSelect | CompiledUpdate]
Queries = dict[Hashable, CompiledSelect | CompiledUpdate]

ATTRIBUTE = "_wagtail_user_sessions_plans"


def get(
    model: type[Row], using: str, condition: Q, *, related: str | None = None
) -> Row | None:
    """The row of a condition that at most one row meets; ``None`` without one."""
    return next(iter(fetch(model, using, condition, related=related)), None)


def fetch(
    model: type[Row], using: str, condition: Q, *, related: str | None = None
) -> list[Row]:
    """The rows that meet a condition, in no order.

    ``related`` is a foreign key whose row is read in the same query, and then
    stands on the attribute of that name.
    """
    connection = connections[using]
    values: list[Any] = []
    key = (model, query_key(condition, values), related)
    plan = _bound_query(
        connection, key, lambda: CompiledSelect(connection, model, condition, related)
    )
    if plan is not None:
        return cast("list[Row]", plan.execute(connection, values))
    rows = unfiltered(model, using).filter(condition)
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
    key = (model, names, query_key(condition, values))
    plan = None
    if not any(hasattr(value, "resolve_expression") for value in values):
        plan = _bound_query(
            connection,
            key,
            lambda: CompiledUpdate(connection, model, condition, columns),
        )
    if plan is not None:
        changed: int = plan.execute(connection, values)
        return changed
    return unfiltered(model, using).filter(condition).update(**columns)


# The plans that are kept


# Not to be shown: the settings have a password.
@dataclass(frozen=True, repr=False, eq=False)
class SharedQueries:
    """Plans that hold for all connections with these settings."""

    settings: dict[str, Any]
    plans: Queries = field(default_factory=dict)


# By the classes and the alias of the connections.
_shared: dict[Hashable, SharedQueries] = {}
# Of how many aliases: a site may make up new ones without end.
MAX_SHARED = 64

_generation = 0


def _bound_query(connection: BaseDatabaseWrapper, key: Hashable, build: Build) -> Any:
    """The plan of that key, bound to the connection; ``None`` where it has none."""
    generation, bound = getattr(connection, ATTRIBUTE, (None, None))
    if bound is None or generation != _generation:
        bound = {}
        setattr(connection, ATTRIBUTE, (_generation, bound))
    if key not in bound:
        plan = _compiled_once(_shared_queries(connection), key, build)
        bound[key] = None if plan is None else plan.bind(connection)
    return bound[key]


def _compiled_once(
    plans: Queries, key: Hashable, build: Build
) -> CompiledSelect | CompiledUpdate | None:
    """``None`` where it can't be made; that isn't kept, for it may be the values."""
    if key not in plans:
        try:
            plans[key] = build()
        except Error:
            # Of the database, which may have a better moment.
            raise
        except Exception:
            # If it is an error of who asks, the ORM tells it.
            return None
    return plans[key]


def _shared_queries(connection: BaseDatabaseWrapper) -> Queries:
    """Those of all connections like this one; new ones, where each may differ."""
    kinds = type(connection), type(connection.ops)
    if not all(kind.__module__.startswith("django.") for kind in kinds):
        return {}
    name = *kinds, connection.alias
    family = _shared.get(name)
    if family is None or family.settings != connection.settings_dict:
        if family is None and len(_shared) >= MAX_SHARED:
            _shared.clear()
        family = _shared[name] = SharedQueries(_copied(connection.settings_dict))
    return family.plans


def _copied(settings: dict[str, Any]) -> dict[str, Any]:
    """As they are now, those of the driver too, which stand in a dictionary."""
    return {
        name: {**value} if isinstance(value, dict) else value
        for name, value in settings.items()
    }


def clear(**_: object) -> None:
    global _generation
    # In this order: what is bound meanwhile is dropped as well.
    _shared.clear()
    _generation += 1


setting_changed.connect(clear, dispatch_uid=__name__)
