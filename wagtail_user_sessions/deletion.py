"""Rows deleted at the cost of one statement, where nobody has to be told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models.signals import ModelSignal, post_delete, pre_delete

from .revocation import Reason, because
from .signals import session_ended
from .writes import Write

if TYPE_CHECKING:
    from .models import AbstractSession

BATCH_SIZE = 1000


def delete_row(
    row: AbstractSession, *, rows: models.QuerySet[AbstractSession], using: str
) -> None:
    """Delete the one row that is left in ``rows``; ``row`` is what is known of it.

    Without a transaction around it, which a deletion by Django would have.
    """
    if _has_followers(type(row)):
        rows.defer("session_data").delete()
    elif rows._raw_delete(using):
        post_delete.send(sender=type(row), instance=row, using=using, origin=row)


def delete_in_batches(
    rows: models.QuerySet[AbstractSession],
    *,
    reason: Reason | str,
    by: AbstractBaseUser | None = None,
) -> Iterator[int]:
    """Delete the rows a batch at a time, and tell how many each batch had.

    Deleted past the receivers, unless the site itself listens to deletions.
    Each batch repeats the condition of ``rows``, so that a row that no longer
    meets it is left alone. Memory is that of one batch.
    """
    model = rows.model
    is_quiet = not (_has_followers(model) or session_ended.has_listeners(model))
    while pks := list(rows.values_list("pk", flat=True)[:BATCH_SIZE]):
        batch = rows.order_by().filter(pk__in=pks)
        if is_quiet:
            deleted = batch._raw_delete(batch.db)
            Write(batch.db)
        else:
            with because(reason, by=by):
                _, per_model = batch.defer("session_data").delete()
            deleted = per_model.get(model._meta.label, 0)
        yield deleted


def _has_followers(model: type[models.Model]) -> bool:
    """Whether the site itself listens to deletions, or has rows that go along."""
    has_dependents = any(
        field.auto_created and not field.concrete
        for field in model._meta.get_fields(include_hidden=True)
    )
    # The package has one receiver of its own, of post_delete.
    return (
        has_dependents
        or _count_receivers(pre_delete, model) > 0
        or _count_receivers(post_delete, model) > 1
    )


def _count_receivers(signal: ModelSignal, model: type[models.Model]) -> int:
    if not signal.has_listeners(model):
        return 0
    sync_receivers, async_receivers = signal._live_receivers(model)
    return len(sync_receivers) + len(async_receivers)
