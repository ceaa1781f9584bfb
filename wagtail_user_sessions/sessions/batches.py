"""Rows deleted at the cost of one statement, where nobody has to be told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from django.contrib.auth.base_user import AbstractBaseUser

from wagtail_user_sessions.signals import session_ended
from wagtail_user_sessions.sql.fast_delete import (
    has_delete_side_effects,
    has_site_receivers,
)
from wagtail_user_sessions.sql.statement_timeout import (
    StatementTimeout,
    statement_timeout,
    supports_timeout,
)
from wagtail_user_sessions.sql.transactions import TrackedWrite, retry_on_deadlock

from .base import SessionQuerySet
from .batch_size import AdaptiveBatchSize, seconds_on, yield_to_writers
from .key_ranges import KeyRanges
from .reasons import Reason, end_context


def delete_in_batches(
    rows: SessionQuerySet,
    *,
    reason: Reason | str,
    by: AbstractBaseUser | None = None,
    by_field: str = "pk",
) -> Iterator[int]:
    """Delete the rows a batch at a time, and tell how many each batch had.

    Deleted past the receivers, unless the site itself listens to deletions.
    Each batch repeats the condition of ``rows``, so that a row that no longer
    meets it is left alone, and takes no more than a second; see ``pace``. Memory
    is constant. ``by_field``, an indexed column without nulls, is gone through
    once, from its least value on: a batch is a range of it.
    """
    using = rows.db
    is_loud = has_delete_side_effects(rows.model) or has_site_receivers(
        session_ended, rows.model
    )
    may_limit = supports_timeout(using) and not is_loud
    pace = AdaptiveBatchSize(
        seconds=seconds_on(using), are_loaded=is_loud, is_limited=may_limit
    )
    delete: Callable[[SessionQuerySet], int] = partial(_delete, pace=pace)
    if is_loud:
        delete = partial(_delete_with_signals, reason=reason, by=by)
    ranges = KeyRanges(rows, by_field, may_guess=may_limit)
    while not ranges.is_done:
        batch = ranges.next(pace.size)
        try:
            deleted = pace.time(partial(delete, batch.rows))
        except StatementTimeout:
            ranges.timed_out()
            continue
        ranges.advance(batch, deleted=deleted)
        if deleted:
            yield deleted
        if not ranges.is_done:
            yield_to_writers(using, took=pace.took)


def delete_by_sign_in(
    rows: SessionQuerySet,
    *,
    reason: Reason | str,
    by: AbstractBaseUser | None = None,
) -> Iterator[int]:
    """Delete the rows in batches in the order of sign-in, which is mostly the order
    of the table as well; then those of which no sign-in is known.
    """
    delete = partial(delete_in_batches, reason=reason, by=by)
    yield from delete(rows.filter(signed_in_at__isnull=False), by_field="signed_in_at")
    rest = rows.filter(signed_in_at=None)
    if rest.exists():
        yield from delete(rest)


def _delete(rows: SessionQuerySet, *, pace: AdaptiveBatchSize) -> int:
    deleted = retry_on_deadlock(
        rows.db, partial(_delete_in_time, rows, limit=pace.limit)
    )
    TrackedWrite(rows.db)
    return deleted


def _delete_in_time(rows: SessionQuerySet, *, limit: float | None) -> int:
    with statement_timeout(rows.db, seconds=limit):
        deleted: int = rows._raw_delete(rows.db)
    return deleted


def _delete_with_signals(
    rows: SessionQuerySet,
    *,
    reason: Reason | str,
    by: AbstractBaseUser | None,
) -> int:
    with end_context(reason, by=by, is_batch=True):
        _, per_model = retry_on_deadlock(rows.db, rows.delete)
    return per_model.get(rows.model._meta.label, 0)
