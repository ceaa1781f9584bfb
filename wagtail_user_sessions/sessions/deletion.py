"""Rows deleted: those of a query set, and one alone."""

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
    are_copied,
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
    """Delete the one row that is left in ``rows``; ``row`` is what is known of it.

    Without a transaction around it, which a deletion by Django would have.
    False where it was gone.
    """
    if has_delete_side_effects(type(row)):
        return bool(retry_on_deadlock(using, rows.delete)[0])
    is_deleted = bool(retry_on_deadlock(using, partial(rows._raw_delete, using)))
    if is_deleted:
        end_events.publish({type(row): [copy_instance(row)]}, using=using, origin=row)
    return is_deleted


def lock_rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows, which nobody can change from their reading to the end of the
    transaction.
    """
    if not connections[rows.db].features.has_select_for_update:
        # Whoever writes to SQLite keeps all others from writing.
        rows.update(version=F("version"))
    return rows.select_for_update()


def _delete_in_one_statement(rows: QuerySet[Any]) -> Deleted:
    """With one statement; raises ``Unreturnable`` where that can't be."""
    using, model = rows.db, rows.model
    if _is_complex(rows) or has_delete_side_effects(model):
        raise ReturningNotSupported
    if not has_observers(model):
        count = fast_delete(rows)
        TrackedWrite(using)
        return _counted(model, count)
    is_heard = needs_full_rows(model)
    names = () if is_heard else EndedRow._fields
    statement = DeleteReturning(rows.prefetch_related(None), names)
    deleted: list[Any]
    with _before_commit(rows, is_heard=is_heard):
        if is_heard:
            deleted = statement.rows()
        else:
            deleted = [EndedRow(*values) for values in statement.values()]
        if deleted:
            publish({model: deleted}, using=using, origin=rows)
    return _counted(model, len(deleted))


def _before_commit(
    rows: QuerySet[Any], *, is_heard: bool
) -> AbstractContextManager[None]:
    """A transaction, if what is done in here has to come before its end: a
    cache is told of the rows before they are gone, and whole rows may turn out to
    be unreadable, so that nobody could be told.
    """
    is_told = is_heard or are_copied(rows.model)
    if transaction.get_autocommit(rows.db) and not is_told:
        return nullcontext()
    return transaction.atomic(using=rows.db, savepoint=False)


def _delete_by_collector(rows: QuerySet[Any]) -> Deleted:
    """As Django does it, with all that listens to it or goes along."""
    using = rows.db
    is_atomic = connections[using].in_atomic_block
    # What is raised in here must not break a transaction that is open.
    with nullcontext() if is_atomic else transaction.atomic(using=using):
        collector = Collector(using=using, origin=rows)
        collector.collect(_lock_whole_rows(rows))
        with collect(using=using, origin=rows):
            return collector.delete()


def _lock_whole_rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows, whole, which nobody can change until the transaction ends."""
    if _is_complex(rows):
        # A lock would cover what they are joined to, or isn't allowed. So
        # they are locked by their keys, and then chosen again.
        own = type(rows)(rows.model, using=rows.db)
        held_rows = own.filter(pk__in=rows.values("pk"))
        if connections[rows.db].features.has_select_for_update:
            held = [pk for (pk,) in lock_rows(held_rows).values_list("pk")]
            held_rows = held_rows.filter(pk__in=held)
        rows = held_rows
    return lock_rows(rows).defer(None)


def _is_complex(rows: QuerySet[Any]) -> bool:
    """Whether a row of the result isn't simply a row of the table."""
    query = rows.query
    # Joins that Django has found to be needless are counted as 0.
    tables = sum(map(bool, query.alias_refcount.values()))
    return tables > 1 or bool(query.distinct or query.annotations or query.extra)


def _counted(model: type[Model], count: int) -> Deleted:
    """As Django tells what was deleted."""
    return count, {model._meta.label: count} if count else {}
