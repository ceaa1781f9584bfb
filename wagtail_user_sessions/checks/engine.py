"""Check of SESSION_ENGINE."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, register

from wagtail_user_sessions.backends.engine import ForeignEngineError, get_engine

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
        get_engine(strict=True)
    except ForeignEngineError:
        message = f"SESSION_ENGINE {name!r} is no engine of wagtail_user_sessions."
        return [error(2, message, hint=HINT)]
    except Exception as failure:
        message = f"SESSION_ENGINE {name!r} can't be used: {failure}"
        return [error(1, message, hint=HINT)]
    return []
