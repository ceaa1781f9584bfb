"""The engine that the settings name."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings

from .db import SessionStore


def engine_in_use() -> type[SessionStore] | None:
    """The ``SessionStore`` of SESSION_ENGINE; ``None`` where it isn't ours.

    Raises ``AttributeError`` where the module has none, and whatever its import
    raises.
    """
    store = import_module(settings.SESSION_ENGINE).SessionStore
    is_ours = isinstance(store, type) and issubclass(store, SessionStore)
    return store if is_ours else None
