from __future__ import annotations

from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, register

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
        is_ours = _is_ours(import_module(name).SessionStore)
    except Exception as failure:
        return [
            error(1, f"SESSION_ENGINE {name!r} can't be used: {failure}", hint=HINT)
        ]
    if is_ours:
        return []
    message = f"SESSION_ENGINE {name!r} is no engine of wagtail_user_sessions."
    return [error(2, message, hint=HINT)]


def engine_in_use() -> type[SessionStore]:
    """The engine of the settings; where it isn't ours, which is told above, the
    one that could be.
    """
    try:
        store = import_module(settings.SESSION_ENGINE).SessionStore
    except Exception:
        return SessionStore
    return store if _is_ours(store) else SessionStore


def _is_ours(store: object) -> bool:
    return isinstance(store, type) and issubclass(store, SessionStore)
