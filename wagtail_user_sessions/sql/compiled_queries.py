"""Compiled queries: SQL that the ORM compiles once and that is then only executed.

Most of the time that a session costs a page, the ORM spends on building the same few
queries. Here the ORM builds each query once a process, with placeholders for its
values. Each execution takes other values: the model's fields prepare them, and the
fields' converters convert the values of the result, as in the ORM.

Under ASGI each request has a connection of its own. So a compiled query serves all
connections of an alias with the same settings, if their classes are Django's: other
classes may generate other SQL for each connection. The converters are methods of a
connection, so a query with its converters is bound to one connection and kept on it.
All compiled queries are dropped when a setting changes.

The ORM executes each query that can't be compiled (an expression as a value, a model
with parents, a field with SQL of its own), with the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from django.core.signals import setting_changed
from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, Q
from django.db.models.expressions import Combinable

from .placeholders import query_key
from .query_compiler import CompiledSelect, CompiledUpdate, unfiltered

Row = TypeVar("Row", bound=Model)

# Arguments of ``order_by()``, without values that differ from call to call.
Order = tuple[str | Combinable, ...]
Build = Callable[[], CompiledSelect | CompiledUpdate]
Queries = dict[Hashable, CompiledSelect | CompiledUpdate]

ATTRIBUTE = "_wagtail_user_sessions_queries"


def get(
    model: type[Row], using: str, condition: Q, *, related: str | None = None
) -> Row | None:
    """Return the row of a condition that at most one row meets, or ``None``."""
    return next(iter(fetch(model, using, condition, related=related)), None)


def fetch(
    model: type[Row],
    using: str,
    condition: Q,
    *,
    related: str | None = None,
    order_by: Order = (),
    limit: int | None = None,
) -> list[Row]:
    """Return the rows that meet a condition; without ``order_by`` in no order.

    ``related`` is the name of a foreign key: the related row is read in the same
    query and set on that attribute.
    """
    connection = connections[using]
    values: list[Any] = []
    key = (model, query_key(condition, values), related, order_by, limit)
    query = _bound_query(
        connection,
        key,
        lambda: CompiledSelect(
            connection, model, condition, related, order_by=order_by, limit=limit
        ),
    )
    if query is not None:
        return cast("list[Row]", query.execute(connection, values))
    rows = unfiltered(model, using).filter(condition).order_by(*order_by)
    return list((rows.select_related(related) if related else rows)[:limit])


def update(
    model: type[Model], using: str, condition: Q, columns: Mapping[str, Any]
) -> int:
    """Set columns, by their attribute names, of the rows that meet a condition.

    Return how many rows met it.
    """
    connection = connections[using]
    values = [value for value in columns.values() if value is not None]
    names = tuple((name, value is None) for name, value in columns.items())
    key = (model, names, query_key(condition, values))
    query = None
    if not any(hasattr(value, "resolve_expression") for value in values):
        query = _bound_query(
            connection,
            key,
            lambda: CompiledUpdate(connection, model, condition, columns),
        )
    if query is not None:
        changed: int = query.execute(connection, values)
        return changed
    return unfiltered(model, using).filter(condition).update(**columns)


# The compiled queries that are kept


# Without a repr(): the settings contain a password.
@dataclass(frozen=True, repr=False, eq=False)
class SharedQueries:
    """The compiled queries of all connections with these settings."""

    settings: dict[str, Any]
    queries: Queries = field(default_factory=dict)


# By the connections' classes and alias.
_shared: dict[Hashable, SharedQueries] = {}
# The most aliases whose queries are kept: a site may make new aliases without end.
MAX_SHARED = 64
# The most queries of an alias that are kept: requests may ask for any limit.
MAX_QUERIES = 256

_generation = 0


def _bound_query(connection: BaseDatabaseWrapper, key: Hashable, build: Build) -> Any:
    """Return the query of that key, bound to the connection; ``None`` for the ORM."""
    generation, bound = getattr(connection, ATTRIBUTE, (None, None))
    if bound is None or generation != _generation:
        bound = {}
        setattr(connection, ATTRIBUTE, (_generation, bound))
    try:
        return bound[key]
    except KeyError:
        compiled = _compiled_once(_shared_queries(connection), key, build)
    query = None if compiled is None else compiled.bind(connection)
    if len(bound) >= MAX_QUERIES:
        bound.clear()
    bound[key] = query
    return query


def _compiled_once(
    queries: Queries, key: Hashable, build: Build
) -> CompiledSelect | CompiledUpdate | None:
    """Return the query of that key; ``None`` if it can't be compiled.

    The failure isn't kept for other connections: these values may be the cause.
    """
    query = queries.get(key)
    if query is None:
        try:
            query = build()
        except Error:
            # The database failed, not the query. A later call compiles it.
            raise
        except Exception:
            # If the caller made a mistake, the ORM raises the right error.
            return None
        if len(queries) >= MAX_QUERIES:
            queries.clear()
        queries[key] = query
    return query


def _shared_queries(connection: BaseDatabaseWrapper) -> Queries:
    """Return the queries that connections like this one share.

    They are a new, empty dictionary if the connection's classes aren't Django's: each
    connection may then generate other SQL.
    """
    kinds = type(connection), type(connection.ops)
    if not all(kind.__module__.startswith("django.") for kind in kinds):
        return {}
    name = *kinds, connection.alias
    shared = _shared.get(name)
    if shared is None or shared.settings != connection.settings_dict:
        if shared is None and len(_shared) >= MAX_SHARED:
            _shared.clear()
        shared = _shared[name] = SharedQueries(_copied(connection.settings_dict))
    return shared.queries


def _copied(settings: dict[str, Any]) -> dict[str, Any]:
    """Copy the settings, and the dictionaries in them (the driver's ``OPTIONS``)."""
    return {
        name: {**value} if isinstance(value, dict) else value
        for name, value in settings.items()
    }


def clear(**_: object) -> None:
    """Drop all compiled queries. It is also a receiver of ``setting_changed``."""
    global _generation
    # In this order: a query that another thread binds meanwhile is dropped as well.
    _shared.clear()
    _generation += 1


setting_changed.connect(clear, dispatch_uid=__name__)
