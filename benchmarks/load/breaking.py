"""Protections that can be switched off, to check that the run detects it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wagtail_user_sessions.backends.base import RowStore
from wagtail_user_sessions.backends.cached_db import SessionStore
from wagtail_user_sessions.backends.merge import Data
from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.models import AbstractSession


def purge() -> None:
    """Don't tell the cache of visitors' changes and ends: old copies are believed."""

    def purge_nothing(*args: Any, **kwargs: Any) -> bool:
        return True

    copies.purge = purge_nothing


def limit() -> None:
    """Believe old copies on pages that change the session, too."""

    def begin_request(self: SessionStore, *, is_read: bool) -> None:
        self._reads_copies = True

    purge()
    SessionStore.begin_request = begin_request  # type: ignore[method-assign]


def merge() -> None:
    """Let the last save win: changes of other requests in between are lost."""

    def write_over(
        self: RowStore, theirs: AbstractSession, base: AbstractSession, ours: Data
    ) -> Callable[[], None] | None:
        return (lambda: None) if self._write(theirs, ours) else None

    RowStore._merge_over = write_over  # type: ignore[method-assign]


PROTECTIONS = {"purge": purge, "limit": limit, "merge": merge}


def switch_off(name: str | None) -> None:
    """Switch a protection off in this process."""
    if name:
        PROTECTIONS[name]()
