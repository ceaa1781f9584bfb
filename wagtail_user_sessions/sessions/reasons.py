"""Who ends sessions, and why.

Whoever ends a session says so around the deletion::

    with because(Reason.REVOKED, by=request.user):
        sessions.delete()

and who tells of the deletion reads it with ``current()``; see ``ends``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from wagtail_user_sessions.conf import conf


class Reason(models.TextChoices):
    """Why a session ended; stored and logged by its value."""

    SIGNED_OUT = "signed_out", _("signed out")
    REVOKED = "revoked", _("revoked")
    FLUSHED = "flushed", _("replaced or no longer valid")
    USER_INACTIVE = "user_inactive", _("the user may no longer sign in")
    USER_DELETED = "user_deleted", _("the user was deleted")
    EXPIRED = "expired", _("expired")
    DELETED = "deleted", _("deleted")


@dataclass
class EndContext:
    """The cause of the deletions under way; ``None`` where nobody gave one."""

    reason: Reason | str | None = None
    actor: AbstractBaseUser | None = None
    # Whether more deletions belong to it, of which whoever makes them tells the log,
    # and the cache's epoch, as of one.
    is_batch: bool = False
    # Set where the cache could not be told of an ended session.
    cache_failed: bool = False


class RevokedCount(int):
    """How many sessions were ended.

    ``cache_failed`` is true where the cache could not be told: those sessions
    may be believed for ``WAGTAIL_USER_SESSIONS_CACHE_MAX_AGE`` seconds longer.
    """

    cache_failed: bool

    def __new__(cls, count: int, *, cache_failed: bool = False) -> RevokedCount:
        self = super().__new__(cls, count)
        self.cache_failed = cache_failed
        return self


def cache_failure_text() -> str:
    """What it means for who has ended sessions that the cache could not be told."""
    minutes = -(-conf.CACHE_MAX_AGE // 60)
    text = ngettext(
        "Not all servers could be told. What was signed out may have access for"
        " up to %(minutes)d minute.",
        "Not all servers could be told. What was signed out may have access for"
        " up to %(minutes)d minutes.",
        minutes,
    )
    return text % {"minutes": minutes}


_end_context: ContextVar[EndContext | None] = ContextVar("session_ending", default=None)


@contextmanager
def end_context(
    reason: Reason | str,
    *,
    by: AbstractBaseUser | None = None,
    is_batch: bool = False,
) -> Iterator[EndContext]:
    """Give the reason and the actor of all deletions inside the block."""
    ending = EndContext(reason=reason, actor=by, is_batch=is_batch)
    token = _end_context.set(ending)
    try:
        yield ending
    finally:
        _end_context.reset(token)


def current_end_context() -> EndContext:
    """The cause of the deletion under way."""
    return _end_context.get() or EndContext()
