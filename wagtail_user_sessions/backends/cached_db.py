"""The session engine on the database and a cache, for ``SESSION_ENGINE``."""

from __future__ import annotations

from collections.abc import Collection

from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.cache.backend import get_session_cache
from wagtail_user_sessions.conf import conf
from wagtail_user_sessions.hashing import hash_session_key
from wagtail_user_sessions.sessions.base import AbstractSession
from wagtail_user_sessions.sql.transactions import has_uncommitted

from .db import SessionStore as DBStore


class SessionStore(DBStore):
    """The store of ``backends.db``, which also reads rows from copies in a cache.

    The cache is that of ``SESSION_CACHE_ALIAS``. No session is kept in it alone,
    and every page works without it.
    """

    keeps_copies = True

    # The cache entries that the request has invalidated; None outside of one.
    _invalidated: copies.Entries | None = None
    # The function that offers a copy of the row to the cache, and the row's version.
    _offer: tuple[copies.Offer, int] | None = None

    def __init__(self, session_key: str | None = None) -> None:
        # Raises for a wrong alias, which would later count as a failure of the cache.
        self._cache = get_session_cache()
        copies.are_kept = True
        super().__init__(session_key)

    def _fetch(self) -> AbstractSession | None:
        row, offer = copies.load(
            hash_session_key(self.session_key or ""),
            model=self.model,
            using=self._using,
            read=super()._fetch,
        )
        if row is not None and offer is not None:
            if self._invalidated is None:
                # Outside of a request end_request() is not called.
                offer()
            else:
                self._offer = offer, row.version
        return row

    def begin_request(self) -> None:
        self._invalidated = copies.listen()

    def end_request(self) -> None:
        invalidated, self._invalidated = self._invalidated, None
        offered, self._offer = self._offer, None
        if offered is not None and invalidated is not None:
            offer, version = offered
            if self._is_unchanged_since(version, invalidated):
                offer()

    def _is_unchanged_since(self, version: int, invalidated: copies.Entries) -> bool:
        """Return whether a copy of this version of the row is still valid."""
        return (
            self._row is not None
            and self._row.version == version
            and self.session_key == self.loaded_key
            and not copies.is_told_of(self._row.key_hash, invalidated)
            and not has_uncommitted(self._using)
        )

    @classmethod
    def purge_changed(cls, key_hash: bytes) -> None:
        # A new mark: another request may have read the old row, and copy it later.
        copies.purge_changed(key_hash)

    @classmethod
    def purge_ended(cls, key_hashes: Collection[bytes]) -> bool:
        return copies.purge_ended(key_hashes)

    @classmethod
    def purge_all(cls) -> bool:
        return copies.purge_all()

    def claim_activity(self, row: AbstractSession) -> bool:
        # The last activity of a copy is older than that of the row: without a claim
        # each request would find a write due, until the next copy.
        name = f"activity.{row.pk}"
        return copies.claim_in_process(name) and copies.claim(
            name, seconds=conf.ACTIVITY_INTERVAL
        )

    def claim_change(self, row: AbstractSession) -> bool:
        return copies.claim(f"client.{row.pk}", seconds=conf.ACTIVITY_INTERVAL)
