"""Deletion in batches, each of one statement unless the site observes deletions."""

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
from .reasons import Reason, RevokedCount, end_context

Delete = Callable[[SessionQuerySet], RevokedCount]


def delete_in_batches(
    rows: SessionQuerySet,
    *,
    reason: Reason | str,
    by: AbstractBaseUser | None = None,
    by_field: str = "pk",
) -> Iterator[RevokedCount]:
    """Delete the rows in batches; yields the number of rows of each batch.

    End events are published only if the site has receivers of them, or the model has
    delete side effects. Each batch repeats the conditions of ``rows``, so that a row
    that no longer meets them is left alone, and takes no more than a second; see
    ``batch_size``. Memory is constant. ``by_field`` is an indexed column without nulls.
    It is gone through once, from its least value on: a batch is a key range of it.
    """
    using = rows.db
    has_receivers = has_delete_side_effects(rows.model) or has_site_receivers(
        session_ended, rows.model
    )
    has_timeout = supports_timeout(using) and not has_receivers
    batch_size = AdaptiveBatchSize(
        seconds=seconds_on(using), are_loaded=has_receivers, has_timeout=has_timeout
    )
    delete: Delete = partial(_delete, batch_size=batch_size)
    if has_receivers:
        delete = partial(_delete_with_signals, reason=reason, by=by)
    key_ranges = KeyRanges(rows, by_field, may_guess=has_timeout)
    while not key_ranges.is_done:
        batch = key_ranges.next(batch_size.size)
        try:
            deleted = batch_size.time(partial(delete, batch.rows))
        except StatementTimeout:
            key_ranges.timed_out()
            continue
        key_ranges.advance(batch, deleted=deleted)
        if deleted:
            yield deleted
        if not key_ranges.is_done:
            yield_to_writers(using, took=batch_size.took)


def delete_by_sign_in(
    rows: SessionQuerySet,
    *,
    reason: Reason | str,
    by: AbstractBaseUser | None = None,
) -> Iterator[RevokedCount]:
    """Delete the rows in batches by time of sign-in, then those without one.

    The order of sign-ins is mostly that of the table, too, which makes it fast.
    """
    delete = partial(delete_in_batches, reason=reason, by=by)
    yield from delete(rows.filter(signed_in_at__isnull=False), by_field="signed_in_at")
    rest = rows.filter(signed_in_at=None)
    if rest.exists():
        yield from delete(rest)


def _delete(rows: SessionQuerySet, *, batch_size: AdaptiveBatchSize) -> RevokedCount:
    delete = partial(_delete_with_timeout, rows, seconds=batch_size.timeout)
    deleted = retry_on_deadlock(rows.db, delete)
    TrackedWrite(rows.db)
    return RevokedCount(deleted)


def _delete_with_timeout(rows: SessionQuerySet, *, seconds: float | None) -> int:
    with statement_timeout(rows.db, seconds=seconds):
        deleted: int = rows._raw_delete(rows.db)
    return deleted


def _delete_with_signals(
    rows: SessionQuerySet,
    *,
    reason: Reason | str,
    by: AbstractBaseUser | None,
) -> RevokedCount:
    with end_context(reason, by=by, is_batch=True) as context:
        _, per_model = rows.delete()
    count = per_model.get(rows.model._meta.label, 0)
    return RevokedCount(count, cache_failed=context.cache_failed)
