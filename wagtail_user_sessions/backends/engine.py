"""The engine of SESSION_ENGINE, and its model."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from wagtail_user_sessions.sessions.base import AbstractSession

from .db import SessionStore


class ForeignEngineError(ImproperlyConfigured):
    """SESSION_ENGINE names an engine of another package."""

    def __init__(self, name: str) -> None:
        super().__init__(f"SESSION_ENGINE {name!r} is no engine of this package.")


def get_engine(*, strict: bool = False) -> type[SessionStore]:
    """Return the ``SessionStore`` of SESSION_ENGINE.

    Where that can't be imported, or belongs to another package, return the engine of
    ``backends.db``: a system check reports the setting. With ``strict``, raise
    ``ForeignEngineError``, or the error of the import.
    """
    try:
        return _load_engine()
    except Exception:
        if strict:
            raise
        return SessionStore


def get_session_model() -> type[AbstractSession]:
    """Return the model of the rows of ``get_engine()``."""
    return get_engine().get_model_class()


def _load_engine() -> type[SessionStore]:
    store = import_module(settings.SESSION_ENGINE).SessionStore
    if isinstance(store, type) and issubclass(store, SessionStore):
        return store
    raise ForeignEngineError(settings.SESSION_ENGINE)
