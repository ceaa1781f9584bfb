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
        # Only these: sessions are made by signing in, and changed by nobody.
        default_permissions = ("view", "delete")
