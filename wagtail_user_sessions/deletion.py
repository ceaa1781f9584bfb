"""Rows deleted at the cost of one statement, where nobody has to be told."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models.signals import post_delete, pre_delete
from django.dispatch import Signal

from .revocation import Reason, because
from .signals import session_ended
from .writes import Write, retrying

if TYPE_CHECKING:
    from .models import AbstractSession

BATCH_SIZE = 1000


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


def delete_in_batches(
    rows: models.QuerySet[AbstractSession],
    *,
    reason: Reason | str,
    by: AbstractBaseUser | None = None,
    by_field: str = "pk",
) -> Iterator[int]:
    """Delete the rows a batch at a time, and tell how many each batch had.

    Deleted past the receivers, unless the site itself listens to deletions.
    Each batch repeats the condition of ``rows``, so that a row that no longer
    meets it is left alone. Memory is that of one batch. ``by_field``, an
    indexed column without nulls, is gone through once, from its least value on.
    """
    model = rows.model
    rows = rows.order_by(by_field)
    is_quiet = not (_has_followers(model) or _has_receivers(session_ended, model))
    rest, last = rows, None
    while found := list(rest.values_list("pk", by_field)[:BATCH_SIZE]):
        batch = rows.order_by().filter(pk__in=[pk for pk, _ in found])
        if is_quiet:
            deleted = retrying(batch.db, partial(batch._raw_delete, batch.db))
            Write(batch.db)
        else:
            deleted = _delete_loudly(batch, reason=reason, by=by)
        yield deleted
        if not deleted and found[-1][1] == last:
            # A snapshot goes on showing rows that can't be deleted.
            return
        last = found[-1][1]
        rest = rows.filter(**{f"{by_field}__gte": last})


def _delete_loudly(
    rows: models.QuerySet[AbstractSession],
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
