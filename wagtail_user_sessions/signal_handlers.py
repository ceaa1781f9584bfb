"""What the package does when others say that something has happened."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.http import HttpRequest

from . import copies, facts
from .backends.db import SessionStore
from .models import AbstractSession, SessionQuerySet
from .revocation import Ending, Reason, Together, current, told_together
from .signals import session_ended

logger = logging.getLogger("wagtail_user_sessions")


def session_about_to_be_deleted(
    sender: type[AbstractSession],
    instance: AbstractSession,
    using: str,
    origin: object = None,
    **kwargs: Any,
) -> None:
    """A row goes along with another, whose deletion has read it without a lock.

    It may have got a new key since, under which it would outlive itself.
    """
    if isinstance(origin, SessionQuerySet):
        return
    if not (copies.are_kept or sender.get_session_store_class().keeps_copies):
        return
    rows = sender.rows(using).filter(pk=instance.pk).locked()
    found = rows.values_list("key_hash").first()
    if found is not None:
        (instance.key_hash,) = found


def session_deleted(
    sender: type[AbstractSession],
    instance: AbstractSession,
    using: str,
    origin: object = None,
    **kwargs: Any,
) -> None:
    """A row was deleted, by whichever road: purge its copies, and announce it."""
    ending = current()
    purge_ended = (
        copies.purge_ended
        if copies.are_kept
        else sender.get_session_store_class().purge_ended
    )
    # The deletion takes the primary key from the instance.
    ended = facts.twin(instance)
    reason = ending.reason or _reason_of(origin, sender)
    announce = partial(_announce, ended, reason=reason, ending=ending)
    several = told_together()
    ends = several or Together()
    ends.note(purge_ended, instance.key_hash, announce)
    if several is None:
        ends.tell(using, ending)


def _reason_of(origin: object, sender: type[AbstractSession]) -> Reason:
    """The reason of a deletion for which nobody gave one."""
    model = origin.model if isinstance(origin, models.QuerySet) else type(origin)
    if isinstance(model, type) and issubclass(model, AbstractBaseUser):
        return Reason.USER_DELETED
    return Reason.DELETED


def _announce(
    session: AbstractSession, *, reason: Reason | str, ending: Ending
) -> None:
    actor = ending.actor
    logger.info(
        "Session %s of user %s ended: %s, by user %s",
        session.pk,
        session.user_id,
        str(reason),
        None if actor is None else actor.pk,
    )
    session_ended.send_robust(
        type(session), session=session, reason=reason, actor=actor
    )


def user_signed_in(sender: object, request: HttpRequest | None, **kwargs: Any) -> None:
    session = getattr(request, "session", None)
    if isinstance(session, SessionStore):
        session.mark_signed_in()


def user_signed_out(
    sender: object,
    request: HttpRequest | None,
    user: AbstractBaseUser | None = None,
    **kwargs: Any,
) -> None:
    session = getattr(request, "session", None)
    if isinstance(session, SessionStore):
        session.ending_reason = Reason.SIGNED_OUT
        session.ending_actor = user
