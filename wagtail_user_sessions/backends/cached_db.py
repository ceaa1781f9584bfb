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
    """The engine of ``backends.db``, which reads rows from copies in the cache.

    The cache is that of ``SESSION_CACHE_ALIAS``. It is never the only one to
    say that a session is alive, nor does any page need it.
    """

    keeps_copies = True

    # What the request has told the cache of; None outside of one.
    _told: copies.Entries | None = None
    # What offers the cache a copy of the row, and the version that it copies.
    _offer: tuple[copies.Offer, int] | None = None

    def __init__(self, session_key: str | None = None) -> None:
        # A wrong alias is told here, and not swallowed as a cache that fails.
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
            if self._told is None:
                # Nobody says when the request is over.
                offer()
            else:
                self._offer = offer, row.version
        return row

    def begin_request(self) -> None:
        self._told = copies.listen()

    def end_request(self) -> None:
        told, self._told = self._told, None
        offered, self._offer = self._offer, None
        if offered is not None and told is not None:
            offer, version = offered
            if self._is_unchanged_since(version, told):
                offer()

    def _is_unchanged_since(self, version: int, told: copies.Entries) -> bool:
        """Whether somebody would believe a copy of the row as it was read."""
        return (
            self._row is not None
            and self._row.version == version
            and self.session_key == self.loaded_key
            and not copies.is_told_of(self._row.key_hash, told)
            and not has_uncommitted(self._using)
        )

    def claim_activity(self, row: AbstractSession) -> bool:
        # A copy's last activity is older than the row's: without a claim it would
        # seem due with each request, until there is another copy.
        name = f"activity.{row.pk}"
        return copies.claim_in_process(name) and copies.claim(
            name, seconds=conf.ACTIVITY_INTERVAL
        )

    def claim_change(self, row: AbstractSession) -> bool:
        return copies.claim(f"client.{row.pk}", seconds=conf.ACTIVITY_INTERVAL)

    @classmethod
    def purge_changed(cls, key_hash: bytes) -> None:
        # A new mark: a reader who has read the old row may still be about to
        # make a copy of it.
        copies.purge_changed(key_hash)

    @classmethod
    def purge_ended(cls, key_hashes: Collection[bytes]) -> bool:
        return copies.purge_ended(key_hashes)

    @classmethod
    def purge_all(cls) -> bool:
        return copies.purge_all()
