"""End reasons, and the end context: reason and actor of deletions under way.

The caller of a deletion opens the context around it::

    with end_context(Reason.REVOKED, by=request.user):
        sessions.delete()

and ``end_events`` reads it with ``current_end_context()``.
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
    """Reason and actor of the deletions under way; ``None`` where not given."""

    reason: Reason | str | None = None
    actor: AbstractBaseUser | None = None
    # Whether the caller logs this deletion with others, as one entry. The batches of
    # ``revoke(batch_size=…)`` have an entry for each session.
    is_batch: bool = False
    # Set if the cache could not be notified of an ended session.
    cache_failed: bool = False


class RevokedCount(int):
    """The number of sessions that were deleted.

    ``cache_failed`` is true if the cache could not be notified of visitors' sessions:
    their copies may be believed for ``WAGTAIL_USER_SESSIONS_CACHE_MAX_AGE`` seconds
    more. It is never true of users' sessions, which have no copies, nor inside a
    transaction, whose commit comes later.
    """

    cache_failed: bool

    def __new__(cls, count: int, *, cache_failed: bool = False) -> RevokedCount:
        self = super().__new__(cls, count)
        self.cache_failed = cache_failed
        return self


def cache_failure_text() -> str:
    """Return the warning for a user whose revocation has set ``cache_failed``."""
    minutes = -(-conf.CACHE_MAX_AGE // 60)
    text = ngettext(
        "Not all servers could be told. What was signed out may have access for"
        " up to %(minutes)d minute.",
        "Not all servers could be told. What was signed out may have access for"
        " up to %(minutes)d minutes.",
        minutes,
    )
    return text % {"minutes": minutes}


_end_context: ContextVar[EndContext | None] = ContextVar("end_context", default=None)


@contextmanager
def end_context(
    reason: Reason | str,
    *,
    by: AbstractBaseUser | None = None,
    is_batch: bool = False,
) -> Iterator[EndContext]:
    """Set the reason and the actor of all deletions inside the block."""
    context = EndContext(reason=reason, actor=by, is_batch=is_batch)
    token = _end_context.set(context)
    try:
        yield context
    finally:
        _end_context.reset(token)


def current_end_context() -> EndContext:
    """Return the end context of the block; an empty one outside of any."""
    return _end_context.get() or EndContext()
