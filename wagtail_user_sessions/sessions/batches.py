"""Rows deleted at the cost of one statement, where nobody has to be told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from django.contrib.auth.base_user import AbstractBaseUser

from wagtail_user_sessions.signals import session_ended
from wagtail_user_sessions.sql.fast_delete import has_followers, has_receivers
from wagtail_user_sessions.sql.statement_timeout import (
    TookTooLongError,
    can_limit,
    limited,
)
from wagtail_user_sessions.sql.transactions import Write, retrying

from .base import SessionQuerySet
from .batch_size import Pace, let_others_in, seconds_on
from .key_ranges import Ranges
from .reasons import Reason, because


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
    is_loud = has_followers(rows.model) or has_receivers(session_ended, rows.model)
    may_limit = can_limit(using) and not is_loud
    pace = Pace(seconds=seconds_on(using), are_loaded=is_loud, is_limited=may_limit)
    delete: Callable[[SessionQuerySet], int] = partial(_delete, pace=pace)
    if is_loud:
        delete = partial(_delete_loudly, reason=reason, by=by)
    ranges = Ranges(rows, by_field, may_guess=may_limit)
    while not ranges.is_done:
        batch = ranges.ahead(pace.size)
        try:
            deleted = pace.time(partial(delete, batch.rows))
        except TookTooLongError:
            ranges.stumbled()
            continue
        ranges.passed(batch, deleted=deleted)
        if deleted:
            yield deleted
        if not ranges.is_done:
            let_others_in(using, took=pace.took)


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


def _delete(rows: SessionQuerySet, *, pace: Pace) -> int:
    deleted = retrying(rows.db, partial(_delete_in_time, rows, limit=pace.limit))
    Write(rows.db)
    return deleted


def _delete_in_time(rows: SessionQuerySet, *, limit: float | None) -> int:
    with limited(rows.db, seconds=limit):
        deleted: int = rows._raw_delete(rows.db)
    return deleted


def _delete_loudly(
    rows: SessionQuerySet,
    *,
    reason: Reason | str,
    by: AbstractBaseUser | None,
) -> int:
    with because(reason, by=by, is_one_of_many=True):
        _, per_model = retrying(rows.db, rows.delete)
    return per_model.get(rows.model._meta.label, 0)
