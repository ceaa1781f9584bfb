"""How a session is made, saved and given new keys."""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Callable
from functools import partial
from secrets import token_bytes

from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError
from django.views.decorators.debug import sensitive_variables

from wagtail_user_sessions import plans
from wagtail_user_sessions.digests import hash_key
from wagtail_user_sessions.exceptions import (
    GONE,
    SessionRefused,
    refusing_database_errors,
)
from wagtail_user_sessions.merging import Data
from wagtail_user_sessions.writes import Write, retrying

from .rows import RowStore


class SavingStore(RowStore):
    """A session whose row is born, saved and given new keys here only."""

    # Whether the new key was rolled back, and another has to be made.
    _key_was_lost = False
    # A new key that no row has yet: the next save makes one.
    _unborn_key: str | None = None

    @property
    def _is_unborn(self) -> bool:
        key = self._unborn_key
        return key is not None and key == self.session_key

    def create(self) -> None:
        while True:
            self._session_key = self._get_new_session_key()
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            except SessionRefused:
                # The key names no row.
                self._session_key = None
                raise
            self.modified = True
            self._replaces = True
            return

    def clear(self) -> None:
        super().clear()
        self._replaces = True

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002
        """Save the data, merged with what other requests have changed meanwhile.

        Raises ``CreateError`` where ``must_create`` meets an existing key, and
        ``SessionRefused`` (an ``UpdateError``) where the session has ended or
        its user has changed since it was loaded, or the database fails.
        """
        self.settle()
        if self._key_was_lost:
            self._key_was_lost = False
            self.cycle_key()
        if self.session_key is None:
            self.create()
            self._replaces = False
            return
        if self._is_unborn:
            self._bear(self._session)  # type: ignore[attr-defined]
            return
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        self._attempt(partial(self._insert if must_create else self._update, data))

    def _bear(self, data: Data) -> None:
        """Make the row of a new key. Only once: others see it from then on, and may
        end it, and what has ended must not be made again.
        """
        self._unborn_key = None
        try:
            self._attempt(partial(self._insert, data))
        except SessionRefused:
            self._session_key = None
            raise

    def _attempt(self, write: Callable[[], None]) -> None:
        def attempt() -> None:
            # A commit that was given up has taken back what it wrote.
            self.settle()
            write()

        with refusing_database_errors():
            retrying(self._using, attempt)

    def settle(self) -> None:
        """Repair what a transaction has rolled back since.

        Data that wasn't written counts as not written, and a new key as not
        given; a flush is repeated, for a sign-out must not be undone.
        """
        if self._repairs:
            with refusing_database_errors():
                self._repairs.settle()

    # Keys

    def mark_signed_in(self) -> None:
        """The user has just signed in, which the next save writes.

        The session gets a new key if it has kept the one from before, as it
        does when the same user signs in again. Source: OWASP ASVS 5.0, 7.2.4.
        """
        self.settle()
        if self._row is not None and self._row.user_id is not None:
            self.cycle_key()
        self._is_sign_in = True

    @sensitive_variables("old_key", "new_key")
    def cycle_key(self) -> None:
        """Give the session a new key; the old one is dead at once.

        Where there was none, as with most sign-ins, the next save makes the row:
        with all that it then holds, and so with one write.

        Raises ``SessionRefused`` where the session of a user has ended.
        """
        self.settle()
        data = self._session  # type: ignore[attr-defined]
        old_key, new_key = self.session_key, self._get_new_session_key()
        if old_key is None or self._is_unborn:
            self._session_key = self._unborn_key = new_key
            self.modified = True
        elif self._move_key(old_key, new_key):
            self._session_key = new_key
            self.modified = True
        elif SESSION_KEY in data:
            raise SessionRefused(GONE)
        else:
            # It has ended beside a visitor who signs in.
            self.create()

    async def acycle_key(self) -> None:
        await sync_to_async(self.cycle_key)()

    @sensitive_variables("old_key", "new_key", "take_back")
    def _move_key(self, old_key: str, new_key: str) -> bool:
        purge = partial(self.purge_ended, [hash_key(old_key)])
        purge()
        move = partial(
            plans.update,
            self.model,
            self._using,
            self._condition(),
            {"key_hash": hash_key(new_key)},
        )
        with refusing_database_errors():
            is_moved = bool(retrying(self._using, move))
        if is_moved:
            take_back = partial(self._take_key_back, old_key)
            self._repairs.remember(Write(self._using, purge), take_back)
        return is_moved

    @sensitive_variables("old_key")
    def _take_key_back(self, old_key: str) -> None:
        """A key is new only once its row has it. The next save makes another:
        somebody may have planted the old one, and must not be signed in by it.
        """
        if not self.exists(self.session_key):
            self._session_key = old_key
            self._key_was_lost = True

    def _get_new_session_key(self) -> str:
        # 160 random bits in 32 characters: no need to ask whether the key is in use,
        # and the unique column would tell.
        return b32encode(token_bytes(20)).decode().lower()

    async def _aget_new_session_key(self) -> str:
        return self._get_new_session_key()
