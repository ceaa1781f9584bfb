"""The engine that the settings name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from django.conf import settings

from .db import SessionStore

if TYPE_CHECKING:
    from wagtail_user_sessions.models import AbstractSession


def engine_in_use() -> type[SessionStore] | None:
    """The ``SessionStore`` of SESSION_ENGINE; ``None`` where it isn't ours.

    Raises ``AttributeError`` where the module has none, and whatever its import
    raises.
    """
    store = import_module(settings.SESSION_ENGINE).SessionStore
    is_ours = isinstance(store, type) and issubclass(store, SessionStore)
    return store if is_ours else None


def session_model() -> type[AbstractSession]:
    """The model of the engine; ours where there is none, which a check tells."""
    try:
        engine = engine_in_use()
    except Exception:
        engine = None
    return (engine or SessionStore).get_model_class()
