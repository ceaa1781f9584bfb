"""Deletion of rows: of a query set, and of one row alone."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

from django.db import connections, transaction
from django.db.models import F, Model, QuerySet
from django.db.models.deletion import Collector

from wagtail_user_sessions.sql.fast_delete import (
    DeleteReturning,
    ReturningNotSupported,
    fast_delete,
    has_delete_side_effects,
)
from wagtail_user_sessions.sql.instances import copy_instance
from wagtail_user_sessions.sql.transactions import TrackedWrite, retry_on_deadlock

from . import end_events
from .end_events import (
    EndedRow,
    collect,
    has_observers,
    needs_full_rows,
    publish,
)

Deleted = tuple[int, dict[str, int]]


def delete_rows(rows: QuerySet[Any]) -> Deleted:
    """Delete the rows of an unordered query set that names its database."""
    try:
        return _delete_in_one_statement(rows)
    except ReturningNotSupported:
        return _delete_by_collector(rows)


def delete_row(row: Model, *, rows: QuerySet[Any], using: str) -> bool:
    """Delete the one row of ``rows``; ``row`` is the instance to publish as ended.

    Opens no transaction, as Django's deletion would, unless the model has delete side
    effects. Returns False if the row was gone.
    """
    if has_delete_side_effects(type(row)):
        return bool(rows.delete()[0])
    is_deleted = bool(retry_on_deadlock(using, partial(rows._raw_delete, using)))
    if is_deleted:
        end_events.publish({type(row): [copy_instance(row)]}, using=using, origin=row)
    return is_deleted


def lock_rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return the rows, locked from their reading to the end of the transaction."""
    if not connections[rows.db].features.has_select_for_update:
        # On SQLite, any write locks out all other writers.
        QuerySet.update(rows, version=F("version"))
    return rows.select_for_update()


def _delete_in_one_statement(rows: QuerySet[Any]) -> Deleted:
    """Delete the rows with one statement.

    Raises ``ReturningNotSupported`` where one statement isn't enough.
    """
    using, model = rows.db, rows.model
    if _is_complex(rows) or has_delete_side_effects(model):
        raise ReturningNotSupported
    if not has_observers(model):
        count = fast_delete(rows)
        TrackedWrite(using)
        return _count_by_model(model, count)
    is_full = needs_full_rows(model)
    names = () if is_full else EndedRow._fields
    statement = DeleteReturning(rows.prefetch_related(None), names)
    deleted: list[Any]
    with _before_commit(rows, is_full=is_full):
        if is_full:
            deleted = statement.rows()
        else:
            deleted = [EndedRow(*values) for values in statement.values()]
        if deleted:
            publish({model: deleted}, using=using, origin=rows)
    return _count_by_model(model, len(deleted))


def _before_commit(
    rows: QuerySet[Any], *, is_full: bool
) -> AbstractContextManager[None]:
    """Open a transaction if the rows have to be read before the commit.

    If a full row can't be read, the deletion is rolled back rather than committed
    with no observer notified.
    """
    if transaction.get_autocommit(rows.db) and not is_full:
        return nullcontext()
    return transaction.atomic(using=rows.db, savepoint=False)


def _delete_by_collector(rows: QuerySet[Any]) -> Deleted:
    """Delete the rows as Django does, with its signals and cascades."""
    using = rows.db
    is_atomic = connections[using].in_atomic_block
    # An error in this block must not break a transaction of the caller's.
    with nullcontext() if is_atomic else transaction.atomic(using=using):
        collector = Collector(using=using, origin=rows)
        collector.collect(_lock_whole_rows(rows))
        with collect(using=using, origin=rows):
            return collector.delete()


def _lock_whole_rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return the rows with all columns, locked until the transaction ends."""
    if _is_complex(rows):
        # A lock would cover the joined tables, or isn't allowed. So the rows are
        # locked by their primary keys, and then selected again.
        table = type(rows)(rows.model, using=rows.db)
        selected = table.filter(pk__in=rows.values("pk"))
        if connections[rows.db].features.has_select_for_update:
            locked = [pk for (pk,) in lock_rows(selected).values_list("pk")]
            selected = selected.filter(pk__in=locked)
        rows = selected
    return lock_rows(rows).defer(None)


def _is_complex(rows: QuerySet[Any]) -> bool:
    """Return whether a row of the result isn't simply a row of the table."""
    query = rows.query
    # Django counts joins that it doesn't need as 0.
    tables = sum(map(bool, query.alias_refcount.values()))
    return tables > 1 or bool(query.distinct or query.annotations or query.extra)


def _count_by_model(model: type[Model], count: int) -> Deleted:
    """Return the count in the form of Django's ``delete()``."""
    return count, {model._meta.label: count} if count else {}
