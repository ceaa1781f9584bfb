"""How a session is made, saved and given new keys."""

from __future__ import annotations

import uuid
from base64 import b32encode
from collections.abc import Callable, Iterator
from functools import partial
from secrets import token_bytes

from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.base import CreateError
from django.db import router
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.conf import conf
from wagtail_user_sessions.exceptions import (
    GONE,
    SessionRefused,
    refusing_database_errors,
)
from wagtail_user_sessions.hashing import hash_session_key
from wagtail_user_sessions.sessions import mass_deletion
from wagtail_user_sessions.sessions.base import AbstractSession, SessionQuerySet
from wagtail_user_sessions.sessions.deletion import delete_row
from wagtail_user_sessions.sessions.reasons import (
    Reason,
    current_end_context,
    end_context,
)
from wagtail_user_sessions.sql import compiled_queries
from wagtail_user_sessions.sql.transactions import TrackedWrite, retry_on_deadlock

from .base import RowStore
from .merge import Data


class SessionStore(RowStore):
    """A session whose row knows its user and client.

    Works as Django's ``db`` engine does, but for these promises: concurrent
    changes of different keys are both kept, a save never brings an ended
    session back, and two users' data never mix. A save or a change of key that
    would break one raises ``SessionRefused``, which is an ``UpdateError``.
    """

    # Why and by whom the session is about to be flushed, where that is known.
    ending_reason: Reason | str = Reason.FLUSHED
    ending_actor: AbstractBaseUser | None = None
    # Whether the request is something that its user does.
    is_activity = True
    # Whether the new key was rolled back, and another has to be made.
    _key_was_rolled_back = False
    # A new key that no row has yet: the next save makes one.
    _pending_key: str | None = None

    @property
    def id(self) -> uuid.UUID | None:
        """The row's public id, or ``None`` while the session has no row."""
        self.keys()
        if self._is_pending:
            # An empty one: the data is saved only if all goes well.
            self._insert_pending_row({})
            self._overwrites = True
        if self._row is None and self.session_key is not None:
            self._row = self._fetch()
        return None if self._row is None else self._row.pk

    async def aid(self) -> uuid.UUID | None:
        return await sync_to_async(lambda: self.id)()

    def get_session_cookie_age(self) -> int:
        age = super().get_session_cookie_age()
        is_anonymous = SESSION_KEY not in getattr(self, "_session_cache", {})
        if is_anonymous and conf.ANONYMOUS_AGE is not None:
            return min(age, conf.ANONYMOUS_AGE)
        return age

    @property
    def _is_pending(self) -> bool:
        key = self._pending_key
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
            self._overwrites = True
            return

    def clear(self) -> None:
        super().clear()
        self._overwrites = True

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002
        """Save the data, merged with what other requests have changed meanwhile.

        Raises ``CreateError`` where ``must_create`` meets an existing key, and
        ``SessionRefused`` (an ``UpdateError``) where the session has ended or
        its user has changed since it was loaded, or the database fails.
        """
        self.handle_rollbacks()
        if self._key_was_rolled_back:
            self._key_was_rolled_back = False
            self.cycle_key()
        if self.session_key is None:
            self.create()
            self._overwrites = False
            return
        if self._is_pending:
            self._insert_pending_row(self._session)  # type: ignore[attr-defined]
            return
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        self._attempt(partial(self._insert if must_create else self._update, data))

    def _insert_pending_row(self, data: Data) -> None:
        """Make the row of a new key. Only once: others see it from then on, and may
        end it, and what has ended must not be made again.
        """
        self._pending_key = None
        try:
            self._attempt(partial(self._insert, data))
        except SessionRefused:
            self._session_key = None
            raise

    def _attempt(self, write: Callable[[], None]) -> None:
        def attempt() -> None:
            # A commit that was given up has taken back what it wrote.
            self.handle_rollbacks()
            write()

        with refusing_database_errors():
            retry_on_deadlock(self._using, attempt)

    def handle_rollbacks(self) -> None:
        """Repair what a transaction has rolled back since.

        Data that wasn't written counts as not written, and a new key as not
        given; a flush is repeated, for a sign-out must not be undone.
        """
        if self._rollback_handlers:
            with refusing_database_errors():
                self._rollback_handlers.run()

    # Keys

    def mark_signed_in(self) -> None:
        """The user has just signed in, which the next save writes.

        The session gets a new key if it has kept the one from before, as it
        does when the same user signs in again. Source: OWASP ASVS 5.0, 7.2.4.
        """
        self.handle_rollbacks()
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
        self.handle_rollbacks()
        data = self._session  # type: ignore[attr-defined]
        old_key, new_key = self.session_key, self._get_new_session_key()
        if old_key is None or self._is_pending:
            self._session_key = self._pending_key = new_key
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
        purge = partial(self.purge_ended, [hash_session_key(old_key)])
        purge()
        move = partial(
            compiled_queries.update,
            self.model,
            self._using,
            self._condition(),
            {"key_hash": hash_session_key(new_key)},
        )
        with refusing_database_errors():
            is_moved = bool(retry_on_deadlock(self._using, move))
        if is_moved:
            take_back = partial(self._restore_key, old_key)
            self._rollback_handlers.register(
                TrackedWrite(self._using, purge), take_back
            )
        return is_moved

    @sensitive_variables("old_key")
    def _restore_key(self, old_key: str) -> None:
        """A key is new only once its row has it. The next save makes another:
        somebody may have planted the old one, and must not be signed in by it.
        """
        if not self.exists(self.session_key):
            self._session_key = old_key
            self._key_was_rolled_back = True

    def _get_new_session_key(self) -> str:
        # 160 random bits in 32 characters: no need to ask whether the key is in use,
        # and the unique column would tell.
        return b32encode(token_bytes(20)).decode().lower()

    async def _aget_new_session_key(self) -> str:
        return self._get_new_session_key()

    # Ending

    @sensitive_variables("session_key")
    def delete(self, session_key: str | None = None) -> None:
        if self._is_pending and session_key in {None, self.session_key}:
            # A save that follows is refused, as it is of any row that has ended.
            self._insert_pending_row({})
        self._delete(session_key or self.session_key)

    @sensitive_variables("session_key")
    def _delete(self, session_key: str | None) -> bool:
        if session_key is None:
            return False
        rows = self._find(session_key)
        row = self._row if session_key == self.session_key else None
        if row is None:
            row = rows.first()
        if row is None:
            return False
        # The row may have been read under an older key.
        row.key_hash = hash_session_key(session_key)
        return delete_row(row, rows=rows.filter(pk=row.pk), using=self._using)

    @sensitive_variables("key")
    def flush(self) -> None:
        """End the session, and start anew without data and key."""
        self.handle_rollbacks()
        key = self.session_key
        row = self._row
        self.clear()
        if key is not None:
            self._end(
                key,
                row,
                reason=current_end_context().reason or self.ending_reason,
                actor=current_end_context().actor or self.ending_actor,
            )
        self._row = None
        self._session_key = None
        self.ending_reason, self.ending_actor = Reason.FLUSHED, None

    async def aflush(self) -> None:
        await sync_to_async(self.flush)()

    @sensitive_variables("session_key", "again")
    def _end(
        self,
        session_key: str,
        row: AbstractSession | None,
        *,
        reason: Reason | str,
        actor: AbstractBaseUser | None,
    ) -> None:
        with end_context(reason, by=actor):
            is_ended = self._delete(session_key)
            if not is_ended and row is not None and reason == Reason.SIGNED_OUT:
                # Under the key that a request beside this one has given it.
                rows = self.model.rows(self._using)
                rows = rows.filter(pk=row.pk, user=row.user_id)
                retry_on_deadlock(self._using, rows.delete)
        # A sign-out must not be undone by what the view does next, nor by what
        # is around that.
        again = partial(self._end, session_key, row, reason=reason, actor=actor)
        self._rollback_handlers.register(TrackedWrite(self._using), again)

    @classmethod
    def get_expired(cls) -> SessionQuerySet:
        model = cls.get_model_class()
        rows = model.rows(router.db_for_write(model))
        return rows.filter(expire_date__lt=timezone.now())

    @classmethod
    def clear_expired(cls) -> None:
        """Delete the expired sessions, a batch at a time."""
        for _ in cls.clear_expired_in_batches():
            pass

    @classmethod
    def clear_expired_in_batches(cls) -> Iterator[int]:
        """Delete the expired sessions; yields how many each batch had."""
        yield from mass_deletion.delete_expired(cls.get_expired())

    # Activity

    def claim_activity(self, row: AbstractSession) -> bool:
        """Whether this request may write that the session was active.

        The statement itself sees to it that only one does.
        """
        return True

    def claim_change(self, row: AbstractSession) -> bool:
        """Whether this request may write a change of client before it is due:
        at most once an interval (and process), for a client with two addresses
        goes to and fro between them.
        """
        return copies.claim_in_process(f"client.{row.pk}")

    @classmethod
    def purge_all(cls) -> bool:
        """Many rows have ended at once; see ``purge_ended``."""
        return True
