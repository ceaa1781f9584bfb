"""The session engine on the database and a cache, for ``SESSION_ENGINE``."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.core.cache import InvalidCacheBackendError
from django.db import router

from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.conf import conf
from wagtail_user_sessions.exceptions import GONE, OTHER_USER, SessionRefused
from wagtail_user_sessions.sessions.base import AbstractSession
from wagtail_user_sessions.sql.transactions import is_in_transaction

from .db import SessionStore as DBStore
from .keys import is_made_for_sign_in
from .merge import Data, merge_into


class SessionStore(DBStore):
    """The engine of ``backends.db``, which keeps copies of visitors' sessions.

    The cache is that of ``SESSION_CACHE_ALIAS``. A copy answers only a request that
    reads (GET or HEAD) under the middleware, and only if nobody is signed in.
    """

    keeps_copies = True

    # Whether the request is one that a copy may answer.
    _reads_copies = False
    # Whether the row is one of a copy.
    _is_copy = False
    # What offers the cache a copy of the row.
    _offer: copies.Offer | None = None

    def __init__(self, session_key: str | None = None) -> None:
        alias = settings.SESSION_CACHE_ALIAS
        if alias not in settings.CACHES:
            # Told here, and not swallowed as a cache that fails.
            raise InvalidCacheBackendError(f"CACHES has no {alias!r}")
        copies.are_kept = True
        super().__init__(session_key)

    def begin_request(self, *, is_read: bool) -> None:
        self._reads_copies = is_read

    def end_request(self) -> None:
        self._reads_copies = False
        offer, self._offer = self._offer, None
        if offer is not None and self.session_key == self.loaded_key:
            offer()

    def _on_written(self, *args: Any, **kwargs: Any) -> None:
        # What was read is out of date.
        self._offer = None
        super()._on_written(*args, **kwargs)

    def load(self) -> Data:
        data = super().load()
        if self._is_copy:
            # The database may have no such row any more.
            self.loaded_key = None
        return data

    def _load_row(self) -> AbstractSession | None:
        if hasattr(self, "_session_cache"):
            # Loaded again by hand: the store keeps the row that it has.
            return self._fetch()
        self._is_copy, self._offer = False, None
        if not self._may_read_copy():
            return self._fetch()
        loaded = copies.load(
            self._key_hash,
            model=self.model,
            using=self._using,
            read=self._fetch,
        )
        row = loaded.row
        if row is not None and SESSION_KEY in self.decode(row.session_data):
            # No sign-in is copied, and no copy signs anybody in.
            return self._fetch() if loaded.is_copy else row
        self._is_copy, self._offer = loaded.is_copy, loaded.offer
        return row

    def _may_read_copy(self) -> bool:
        return (
            self._reads_copies
            and bool(conf.CACHE_MAX_AGE)
            # Else each request writes, and has to read the row for that.
            and not settings.SESSION_SAVE_EVERY_REQUEST
            and not is_made_for_sign_in(self.session_key or "")
            and not is_in_transaction(self._using)
        )

    # A store that was filled from a copy reads the row before it writes

    def _update(self, data: Data) -> None:
        self._replace_copy()
        super()._update(data)

    def create(self) -> None:
        if self._is_copy:
            self._drop_what_ended()
        super().create()

    def cycle_key(self) -> None:
        self._replace_copy(for_sign_in=True)
        super().cycle_key()

    def mark_signed_in(self) -> None:
        self._replace_copy(for_sign_in=True)
        super().mark_signed_in()

    def _delete(self, session_key: str | None) -> bool:
        if self._is_copy and session_key == self.session_key:
            # The row as it is; a later save is refused also where it is gone.
            self._row, self._is_copy = self._fetch() or self._row, False
        return super()._delete(session_key)

    def _replace_copy(self, *, for_sign_in: bool = False) -> None:
        """Read the row; the copy is from now on no more than the base of a merge."""
        # Loaded first: a store that was not read yet may begin with a copy, too.
        self._session  # type: ignore[attr-defined] # noqa: B018
        copy = self._row
        if not self._is_copy or copy is None:
            return
        try:
            row = self._fetch()
            if row is None:
                raise SessionRefused(GONE)
            if for_sign_in and row.user_id is not None:
                # The key is another sign-in's by now, and must not be moved.
                raise SessionRefused(OTHER_USER)
            if row.version != copy.version and not self._overwrites:
                self._merge_copy(copy, self.decode(row.session_data))
        except SessionRefused:
            # The next request must not begin with the same copy.
            self._purge_copy()
            raise
        self._row, self._is_copy = row, False
        self.loaded_key = self.session_key

    def _drop_what_ended(self) -> None:
        """Keep of a copy what its row has; if that is gone, the request's own changes."""
        copy, row = self._row, self._fetch()
        if copy is not None:
            theirs = {} if row is None else self.decode(row.session_data)
            self._merge_copy(copy, theirs)
        if row is None:
            self._purge_copy()
        self._is_copy = False

    def _merge_copy(self, copy: AbstractSession, theirs: Data) -> None:
        """Merge into memory what has changed since the copy was made."""
        _, apply = merge_into(
            self._session,  # type: ignore[attr-defined]
            base=self.decode(copy.session_data),
            theirs=theirs,
            serializer=self.serializer(),
        )
        apply()

    @classmethod
    def purge_copies(cls, key_hashes: Collection[bytes]) -> bool:
        model = cls.get_model_class()
        using = router.db_for_write(model)
        return copies.purge(key_hashes, model=model, using=using)
