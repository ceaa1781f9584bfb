from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, register

from wagtail_user_sessions.backends import engine
from wagtail_user_sessions.backends.db import SessionStore

from .messages import TAG, error

HINT = (
    'Set it to "wagtail_user_sessions.backends.db", to '
    '"wagtail_user_sessions.backends.cached_db", or to a module whose '
    "SessionStore extends one of theirs."
)


@register(TAG)
def check_engine(**kwargs: Any) -> list[CheckMessage]:
    name = settings.SESSION_ENGINE
    try:
        store = engine.engine_in_use()
    except Exception as failure:
        return [
            error(1, f"SESSION_ENGINE {name!r} can't be used: {failure}", hint=HINT)
        ]
    if store is not None:
        return []
    message = f"SESSION_ENGINE {name!r} is no engine of wagtail_user_sessions."
    return [error(2, message, hint=HINT)]


def engine_in_use() -> type[SessionStore]:
    """The engine of the settings; where it isn't ours, which is told above, the
    one that could be.
    """
    try:
        return engine.engine_in_use() or SessionStore
    except Exception:
        return SessionStore
