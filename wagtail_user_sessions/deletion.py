"""Rows deleted at the cost of one statement, where nobody has to be told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models.signals import post_delete, pre_delete
from django.dispatch import Signal

from .revocation import Reason, because
from .signals import session_ended
from .writes import Write, retrying

if TYPE_CHECKING:
    from .models import AbstractSession, SessionQuerySet

# Rows of a batch, and how long one is to take, in seconds: others wait for a batch
# that deletes what they read.
FIRST_BATCH = 1000
SMALLEST_BATCH = 100
LARGEST_BATCH = 50_000
SECONDS = 0.4


def delete_row(
    row: AbstractSession, *, rows: models.QuerySet[AbstractSession], using: str
) -> bool:
    """Delete the one row that is left in ``rows``; ``row`` is what is known of it.

    Without a transaction around it, which a deletion by Django would have.
    False where it was gone.
    """
    if _has_followers(type(row)):
        return bool(retrying(using, rows.delete)[0])
    is_deleted = bool(retrying(using, partial(rows._raw_delete, using)))
    if is_deleted:
        post_delete.send(sender=type(row), instance=row, using=using, origin=row)
    return is_deleted


class Pace:
    """How many rows a batch takes: as many as are deleted in about ``SECONDS``."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.size = FIRST_BATCH
        self.clock = clock

    def time(self, delete: Callable[[], int]) -> int:
        start = self.clock()
        deleted = delete()
        factor = SECONDS / max(self.clock() - start, 0.001)
        # What took fewer rows doesn't tell how long more of them would take.
        most = 2 if deleted * 2 > self.size else 1
        size = int(self.size * min(most, factor))
        self.size = max(SMALLEST_BATCH, min(LARGEST_BATCH, size))
        return deleted


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
    meets it is left alone. Memory is constant. ``by_field``, an indexed column
    without nulls, is gone through once, from its least value on: a batch is a
    range of it.
    """
    is_loud = _has_followers(rows.model) or _has_receivers(session_ended, rows.model)
    delete = partial(_delete_loudly, reason=reason, by=by) if is_loud else _delete
    pace = Pace()
    rest = rows = rows.order_by(by_field)
    last = object()
    while last is not None:
        batch, last, is_part = _first(rest, by_field, size=pace.size)
        deleted = pace.time(partial(delete, batch.order_by()))
        if deleted:
            yield deleted
        if last is not None and not (is_part and deleted):
            rest = rows.filter(**{f"{by_field}__gt": last})


def _first(
    rest: SessionQuerySet, by_field: str, *, size: int
) -> tuple[SessionQuerySet, Any, bool]:
    """The first rows; the last value among them, which is None where these are all;
    and whether they are only a part of those with this value.
    """
    values = list(rest.values_list(by_field, flat=True)[size - 1 : size])
    if not values:
        return rest, None, False
    (last,) = values
    if by_field != "pk" and rest.filter(**{by_field: last})[size : size + 1].exists():
        keys = rest.values_list("pk", flat=True)[: min(size, FIRST_BATCH)]
        return rest.filter(pk__in=list(keys)), last, True
    return rest.filter(**{f"{by_field}__lte": last}), last, False


def _delete(rows: SessionQuerySet) -> int:
    deleted: int = retrying(rows.db, partial(rows._raw_delete, rows.db))
    Write(rows.db)
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


def _has_followers(model: type[models.Model]) -> bool:
    """Whether the site itself listens to deletions, or has rows that go along."""
    has_dependents = any(
        (field.auto_created and not field.concrete)
        or hasattr(field, "bulk_related_objects")
        for field in model._meta.get_fields(include_hidden=True)
    )
    return (
        has_dependents
        or bool(model._meta.parents)
        or _has_receivers(pre_delete, model)
        or _has_receivers(post_delete, model)
    )


def _has_receivers(signal: Signal, model: type[models.Model]) -> bool:
    """Whether anybody but this package itself listens to the signal."""
    if not signal.has_listeners(model):
        return False
    return any(
        not getattr(receiver, "__module__", "").startswith(f"{__package__}.")
        for receivers in signal._live_receivers(model)
        for receiver in receivers
    )
