"""The ends of sessions, of which everybody is told.

The cache is told before the deletion commits, and once more when it has; the log
and whoever listens to ``session_ended`` only then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, NamedTuple

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connections, models
from django.dispatch import Signal

from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.signals import session_ended
from wagtail_user_sessions.sql.transactions import TrackedWrite

from .reasons import EndContext, Reason, current_end_context

logger = logging.getLogger("wagtail_user_sessions")

# Of as many rows that end at once the cache is told by the epoch, not by their marks.
# That is one entry in place of as many, for which each session that goes on is read
# once or twice more.
MANY = 50

# For the package's own log: ``rows`` that somebody has ended together, and the
# ``ending`` that is their cause. Sent once that has committed, by the model's class.
sessions_ended = Signal()

# Any model of sessions, and any row of it, which stand above this module.
Model = Any
Row = Any


class EndedRow(NamedTuple):
    """What is read of an ended row if nobody listens: for the cache and the log."""

    pk: Any
    key_hash: bytes
    user_id: Any


# The rows that were deleted, by their model.
_collected: ContextVar[dict[Model, list[Row]] | None] = ContextVar(
    "ended_sessions", default=None
)


def are_copied(model: Model) -> bool:
    """Whether a cache may have copies of the model's rows."""
    return copies.are_kept or model.get_session_store_class().keeps_copies


def needs_full_rows(model: Model) -> bool:
    """Whether anybody is told of deleted rows who may read more than ``Told`` has."""
    if session_ended.has_listeners(model):
        return True
    return current_end_context().actor is not None and sessions_ended.has_listeners(
        model
    )


def has_observers(model: Model) -> bool:
    """Whether anybody at all is told of deleted rows."""
    is_logged = logger.isEnabledFor(logging.INFO)
    return is_logged or are_copied(model) or needs_full_rows(model)


@contextmanager
def collect(*, using: str, origin: object) -> Iterator[None]:
    """Tell of all rows that are deleted inside the block with one call, at its end."""
    noted: dict[Model, list[Row]] = {}
    token = _collected.set(noted)
    try:
        yield
    finally:
        _collected.reset(token)
    if noted:
        publish(noted, using=using, origin=origin)


def record(model: Model, row: Row, *, using: str, origin: object) -> None:
    """Tell of a row that was deleted, together with others where there are more.

    It is kept until then, and must stay as it is.
    """
    noted = _collected.get()
    if noted is None:
        publish({model: [row]}, using=using, origin=origin)
    else:
        noted.setdefault(model, []).append(row)


def publish(
    noted: Mapping[Model, Sequence[Row]], *, using: str, origin: object
) -> None:
    """Tell of the rows of each model that were deleted, for the reason that is given around the call.

    They are kept until the transaction commits, and must stay as they are.
    """
    ending = current_end_context()
    hashes = {model: [row.key_hash for row in rows] for model, rows in noted.items()}
    if connections[using].in_atomic_block:
        # Else it has committed, of which the cache is told next.
        _tell_cache(_mark, hashes, ending)
    reason = ending.reason or _reason_of(origin)
    TrackedWrite(
        using,
        partial(_tell_cache, _purge, hashes, ending),
        partial(_send, noted, reason, ending),
    )


def _reason_of(origin: object) -> Reason:
    """The reason of a deletion for which nobody gave one."""
    model = origin.model if isinstance(origin, models.QuerySet) else type(origin)
    if isinstance(model, type) and issubclass(model, AbstractBaseUser):
        return Reason.USER_DELETED
    return Reason.DELETED


def _tell_cache(
    word: Callable[[Model, list[bytes], EndContext], bool],
    hashes: dict[Model, list[bytes]],
    ending: EndContext,
) -> None:
    answers = [word(model, of_model, ending) for model, of_model in hashes.items()]
    if not all(answers):
        ending.cache_failed = True


def _mark(model: Model, hashes: list[bytes], ending: EndContext) -> bool:
    if not are_copied(model):
        return True
    if _are_many(hashes, ending):
        return copies.mark_many_ended()
    return copies.mark_ended(hashes)


def _purge(model: Model, hashes: list[bytes], ending: EndContext) -> bool:
    cache = _cache_of(model)
    is_many = _are_many(hashes, ending)
    is_told: bool = cache.purge_all() if is_many else cache.purge_ended(hashes)
    return is_told


def purge_all(model: Model) -> bool:
    """Many rows have ended, of which the cache is told at once; see ``copies``."""
    is_told: bool = _cache_of(model).purge_all()
    return is_told


def _cache_of(model: Model) -> Any:
    return copies if copies.are_kept else model.get_session_store_class()


def _are_many(hashes: list[bytes], ending: EndContext) -> bool:
    # A batch is told of by marks: who ends them all changes the epoch where that has
    # to be (``clearsessions`` need not).
    return len(hashes) >= MANY and not ending.is_batch


def _send(
    noted: Mapping[Model, Sequence[Row]],
    reason: Reason | str,
    ending: EndContext,
) -> None:
    actor = ending.actor
    is_logged = logger.isEnabledFor(logging.INFO)
    for model, rows in noted.items():
        if is_logged:
            _log(rows, reason, actor)
        if actor is not None:
            sessions_ended.send_robust(model, rows=rows, ending=ending)
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
