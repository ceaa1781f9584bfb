"""Protections that can be switched off, to check that the run detects it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from wagtail_user_sessions.backends.base import RowStore
from wagtail_user_sessions.backends.merge import Data
from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.models import AbstractSession


def purge() -> None:
    """Don't tell the cache of ended sessions: their copies are believed for a while."""

    def purge_nothing(key_hashes: Iterable[bytes] = ()) -> bool:
        return True

    copies.mark_ended = copies.purge_ended = purge_nothing
    copies.mark_many_ended = copies.purge_all = purge_nothing


def merge() -> None:
    """Let the last save win: changes of other requests in between are lost."""

    def write_over(
        self: RowStore, theirs: AbstractSession, base: AbstractSession, ours: Data
    ) -> Callable[[], None] | None:
        return (lambda: None) if self._write(theirs, ours) else None

    RowStore._merge_over = write_over  # type: ignore[method-assign]


PROTECTIONS = {"purge": purge, "merge": merge}


def switch_off(name: str | None) -> None:
    """Switch a protection off in this process."""
    if name:
        PROTECTIONS[name]()
