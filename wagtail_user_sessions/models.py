from __future__ import annotations

from .sessions.base import AbstractSession, SessionManager, SessionQuerySet
from .sessions.reasons import Reason

__all__ = [
    "AbstractSession",
    "Reason",
    "Session",
    "SessionManager",
    "SessionQuerySet",
]


class Session(AbstractSession):
    class Meta(AbstractSession.Meta):
        # No "add" and "change": a session is made by a sign-in, and never edited.
        default_permissions = ("view", "delete")
