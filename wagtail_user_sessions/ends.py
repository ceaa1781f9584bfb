"""The ends of sessions, of which everybody is told.

The cache is told before the deletion commits, and once more when it has; the log
and whoever listens to ``session_ended`` only then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connections, models
from django.db.models.signals import post_delete

from . import copies
from .followers import has_receivers
from .revocation import Ending, Reason, current
from .signals import session_ended
from .writes import Write

logger = logging.getLogger("wagtail_user_sessions")

# What is read of an ended row if nobody listens: for the cache and for the log.
TOLD = ("pk", "key_hash", "user")

# Any row of a model of sessions, which stand above this module.
Row = Any

_noted: ContextVar[list[Row] | None] = ContextVar("ended_sessions", default=None)


def are_copied(model: Any) -> bool:
    """Whether a cache may have copies of the model's rows."""
    return copies.are_kept or model.get_session_store_class().keeps_copies


def are_heard(model: Any) -> bool:
    """Whether anybody is told of deleted rows who may read more than ``TOLD``."""
    own = f"{__package__}.signal_handlers"
    return session_ended.has_listeners(model) or has_receivers(
        post_delete, model, besides=own
    )


@contextmanager
def together(*, using: str, origin: object) -> Iterator[None]:
    """Tell of all rows that are deleted inside the block with one call, at its end."""
    rows: list[Row] = []
    token = _noted.set(rows)
    try:
        yield
    finally:
        _noted.reset(token)
    if rows:
        _tell(rows, using=using, origin=origin)


def note(instance: Row, *, using: str, origin: object) -> None:
    """Tell of a row that was deleted, together with others if it is one of them.

    It is kept until then, and must stay as it is.
    """
    rows = _noted.get()
    if rows is None:
        _tell([instance], using=using, origin=origin)
    else:
        rows.append(instance)


def _tell(rows: Sequence[Row], *, using: str, origin: object) -> None:
    ending = current()
    hashes: dict[Any, list[bytes]] = {}
    for row in rows:
        hashes.setdefault(type(row), []).append(row.key_hash)
    if connections[using].in_atomic_block:
        # Else it has committed, of which the cache is told next.
        _tell_cache(_mark, hashes, ending)
    reason = ending.reason or _reason_of(origin)
    Write(
        using,
        partial(_tell_cache, _purge, hashes, ending),
        partial(_announce, rows, reason, ending.actor),
    )


def _reason_of(origin: object) -> Reason:
    """The reason of a deletion for which nobody gave one."""
    model = origin.model if isinstance(origin, models.QuerySet) else type(origin)
    if isinstance(model, type) and issubclass(model, AbstractBaseUser):
        return Reason.USER_DELETED
    return Reason.DELETED


def _tell_cache(
    tell: Callable[[Any, list[bytes]], bool],
    hashes: dict[Any, list[bytes]],
    ending: Ending,
) -> None:
    answers = [tell(model, of_model) for model, of_model in hashes.items()]
    if not all(answers):
        ending.cache_failed = True


def _mark(model: Any, hashes: list[bytes]) -> bool:
    return copies.mark_ended(hashes) if are_copied(model) else True


def _purge(model: Any, hashes: list[bytes]) -> bool:
    if copies.are_kept:
        return copies.purge_ended(hashes)
    is_told: bool = model.get_session_store_class().purge_ended(hashes)
    return is_told


def _announce(
    rows: Sequence[Row], reason: Reason | str, actor: AbstractBaseUser | None
) -> None:
    if logger.isEnabledFor(logging.INFO):
        _log(rows, reason, actor)
    for row in rows:
        session_ended.send_robust(type(row), session=row, reason=reason, actor=actor)


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
