"""The package's receivers of Django's signals: deletions, sign-ins and sign-outs."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from .backends.db import SessionStore
from .sessions import end_events
from .sessions.base import AbstractSession
from .sessions.reasons import Reason
from .sql.instances import copy_instance


def session_deleted(
    sender: type[AbstractSession],
    instance: AbstractSession,
    using: str,
    origin: object = None,
    **kwargs: Any,
) -> None:
    """Record a deleted row, however it was deleted."""
    # A copy: Django's deletion takes the primary key from the instance.
    end_events.record(sender, copy_instance(instance), using=using, origin=origin)


def user_signed_in(sender: object, request: HttpRequest | None, **kwargs: Any) -> None:
    """Note in the request's store that its user has signed in."""
    session = getattr(request, "session", None)
    if isinstance(session, SessionStore):
        session.mark_signed_in()


def user_signed_out(
    sender: object,
    request: HttpRequest | None,
    user: AbstractBaseUser | None = None,
    **kwargs: Any,
) -> None:
    """Give the request's store the end reason and the actor of its flush."""
    session = getattr(request, "session", None)
    if isinstance(session, SessionStore):
        session.end_reason = Reason.SIGNED_OUT
        session.end_actor = user
