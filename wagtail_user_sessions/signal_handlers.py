"""What the package does when others say that something has happened."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from .backends.db import SessionStore
from .sessions import end_events
from .sessions.base import AbstractSession, SessionQuerySet
from .sessions.deletion import lock_rows
from .sessions.reasons import Reason
from .sql.instances import copy_instance


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
    if not end_events.are_copied(sender):
        return
    rows = lock_rows(sender.rows(using).filter(pk=instance.pk))
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
    """A row was deleted, by whichever road."""
    # The deletion takes the primary key from the instance.
    end_events.record(sender, copy_instance(instance), using=using, origin=origin)


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
