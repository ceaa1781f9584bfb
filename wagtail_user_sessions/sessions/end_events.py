"""End events: the observers of ended sessions are notified here.

The observers are the cache, the log, the admin's log and the receivers of
``session_ended``. They are notified after the commit; the cache of visitors' rows alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, NamedTuple

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.dispatch import Signal

from wagtail_user_sessions.signals import session_ended
from wagtail_user_sessions.sql.transactions import TrackedWrite

from .reasons import EndContext, Reason, current_end_context
from .visitor_copies import are_copied, purge_copies

logger = logging.getLogger("wagtail_user_sessions")

# For the package's own log: ``rows`` that a user has ended together, and the
# ``context`` of that. Sent by the model's class after the commit.
sessions_ended = Signal()

# Any session model, and any row of it. Models stand in a layer above this module.
Model = Any
Row = Any


class EndedRow(NamedTuple):
    """The columns of an ended row that the cache and the log need."""

    pk: Any
    key_hash: bytes
    user_id: Any


# The rows deleted inside ``collect()``, by their model.
_collected: ContextVar[dict[Model, list[Row]] | None] = ContextVar(
    "ended_sessions", default=None
)


def needs_full_rows(model: Model) -> bool:
    """Return whether an observer may read more columns than ``EndedRow`` has."""
    if session_ended.has_listeners(model):
        return True
    return current_end_context().actor is not None and sessions_ended.has_listeners(
        model
    )


def has_observers(model: Model) -> bool:
    """Return whether there is any observer of ended rows."""
    is_logged = logger.isEnabledFor(logging.INFO)
    return is_logged or are_copied(model) or needs_full_rows(model)


@contextmanager
def collect(*, using: str, origin: object) -> Iterator[None]:
    """Publish all rows that are recorded inside the block by one call, at its end."""
    collected: dict[Model, list[Row]] = {}
    token = _collected.set(collected)
    try:
        yield
    finally:
        _collected.reset(token)
    if collected:
        publish(collected, using=using, origin=origin)


def record(model: Model, row: Row, *, using: str, origin: object) -> None:
    """Publish a deleted row: at the end of ``collect()``, or at once outside of it.

    The row is kept until then and must not be changed.
    """
    collected = _collected.get()
    if collected is None:
        publish({model: [row]}, using=using, origin=origin)
    else:
        collected.setdefault(model, []).append(row)


def publish(
    ended: Mapping[Model, Sequence[Row]], *, using: str, origin: object
) -> None:
    """Notify the observers of the deleted rows of each model.

    The reason is that of the end context, or else follows from ``origin``. The rows
    are kept until the transaction commits and must not be changed.
    """
    context = current_end_context()
    reason = context.reason or _reason_of(origin)
    TrackedWrite(
        using,
        partial(_purge_visitors, ended, using, context),
        partial(_send, ended, reason, context),
    )


def _reason_of(origin: object) -> Reason:
    """Return the reason of a deletion for which none was given."""
    model = origin.model if isinstance(origin, models.QuerySet) else type(origin)
    if isinstance(model, type) and issubclass(model, AbstractBaseUser):
        return Reason.USER_DELETED
    return Reason.DELETED


def _purge_visitors(
    ended: Mapping[Model, Sequence[Row]], using: str, context: EndContext
) -> None:
    # A row with a user has no copy.
    for model, rows in ended.items():
        key_hashes = [row.key_hash for row in rows if row.user_id is None]
        if key_hashes and not purge_copies(model, key_hashes, using=using):
            context.cache_failed = True


def _send(
    ended: Mapping[Model, Sequence[Row]],
    reason: Reason | str,
    context: EndContext,
) -> None:
    actor = context.actor
    is_logged = logger.isEnabledFor(logging.INFO)
    for model, rows in ended.items():
        if is_logged:
            _log(rows, reason, actor)
        if actor is not None:
            sessions_ended.send_robust(model, rows=rows, context=context)
        if session_ended.has_listeners(model):
            for row in rows:
                session_ended.send_robust(
                    model, session=row, reason=reason, actor=actor
                )


def _log(
    rows: Sequence[Row], reason: Reason | str, actor: AbstractBaseUser | None
) -> None:
    for row in rows:
        logger.info(
            "Session %s of user %s ended: %s, by user %s",
            row.pk,
            row.user_id,
            str(reason),
            None if actor is None else actor.pk,
        )
