"""The package's receivers of Django's signals: deletions, sign-ins and sign-outs."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from .backends.db import SessionStore
from .sessions import end_events
from .sessions.base import AbstractSession
from .sessions.reasons import Reason
from .sessions.visitor_copies import find_copied, purge_on_commit
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


def fixture_loading(
    sender: type[AbstractSession],
    instance: AbstractSession,
    raw: bool,  # noqa: FBT001
    using: str,
    **kwargs: Any,
) -> None:
    """Disown the copy of a row that a fixture replaces, which ``save()`` doesn't see.

    Called before the row is replaced, for its old key, and after.
    """
    if raw:
        replaced = sender.rows(using).filter(pk=instance.pk)
        key_hashes = {instance.key_hash, *find_copied(replaced, using=using)}
        purge_on_commit(sender, key_hashes, using=using)


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
