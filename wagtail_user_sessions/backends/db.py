"""The session engine on the database, for ``SESSION_ENGINE``."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.base import CreateError
from django.db import router
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

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
from wagtail_user_sessions.sessions.renewal import find_renewed
from wagtail_user_sessions.sql import compiled_queries
from wagtail_user_sessions.sql.transactions import TrackedWrite, retry_on_deadlock

from .base import ReplacedKey, RowStore
from .keys import new_key
from .merge import Data, has_same_user


class SessionStore(RowStore):
    """The store of a session whose row has its user and its client.

    Works as Django's ``db`` engine does, and keeps these promises too: concurrent
    changes of different keys are both kept, a save never revives an ended
    session, and two users' data never mix. A save or a change of key that
    would break one raises ``SessionRefused``, which is an ``UpdateError``.
    """

    # The end reason of the next flush, and its actor if there is one.
    end_reason: Reason | str = Reason.FLUSHED
    end_actor: AbstractBaseUser | None = None
    # Whether the request is an activity of its user.
    is_activity = True
    # Whether a new key was rolled back: the next save makes another.
    _key_was_rolled_back = False
    # The key of a sign-in whose row is not inserted yet; the next save inserts it.
    _pending_key: str | None = None

    @property
    def id(self) -> uuid.UUID | None:
        """The row's public id; ``None`` while the session has no row."""
        self.keys()
        if self._is_pending:
            # An empty row: the middleware saves the data if the response is no error.
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

    @sensitive_variables("session_key")
    def exists(self, session_key: str | None) -> bool:
        """Return whether the key has a session: in the database, or yet to be saved."""
        if self._is_pending and session_key == self.session_key:
            return True
        if self.is_key_replaced and session_key == self.session_key:
            # By its id, which also an old snapshot knows.
            return self._find_known().exists()
        return super().exists(session_key)

    def load(self) -> Data:
        if self._is_pending:
            # What the next save inserts.
            known: Data = getattr(self, "_session_cache", {})
            data: Data = self.serializer().loads(self._dumps(known))
            return data
        return super().load()

    # Save

    def create(self) -> None:
        if self._is_pending:
            # Nobody has the key of this sign-in yet, and other code may have noted it.
            self._insert_pending_row(self._session)  # type: ignore[attr-defined]
            self.modified = self._overwrites = True
            return
        while True:
            self._session_key = self._get_new_session_key()
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            except SessionRefused:
                # No row has the key.
                self._session_key = None
                raise
            self.modified = True
            self._overwrites = True
            return

    def clear(self) -> None:
        super().clear()
        self._overwrites = True

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002
        """Save the data, merged with the changes of concurrent requests.

        Raises ``CreateError`` if ``must_create`` is set and the key exists, and
        ``SessionRefused`` (an ``UpdateError``) if the session has ended or
        its user has changed since it was loaded, or if the database fails.
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
        """Insert the row of a pending key, at most once.

        Other requests can delete it from then on; a second insert would revive an
        ended session.
        """
        self._pending_key = None
        try:
            self._attempt(partial(self._insert, data))
        except SessionRefused:
            self._session_key = None
            raise

    def _attempt(self, write: Callable[[], None]) -> None:
        def attempt() -> None:
            # A repeated attempt: the one before it was rolled back.
            self.handle_rollbacks()
            write()

        try:
            with refusing_database_errors():
                retry_on_deadlock(self._using, attempt)
        except SessionRefused:
            if self._row is None or self._row.user_id is None:
                # The next request must not begin with the same copy.
                self._purge_copy()
            raise

    def handle_rollbacks(self) -> None:
        """Run the rollback handlers of the writes that were rolled back since.

        Their data counts as unsaved again, and a new key as not given. A flush is
        repeated: a rollback must not undo a sign-out.
        """
        if self._rollback_handlers:
            with refusing_database_errors():
                self._rollback_handlers.run()

    # Keys

    def mark_signed_in(self) -> None:
        """Note that the user has just signed in; the next save writes it.

        A session that has kept its key gets a new one: Django keeps the key when
        the same user signs in again. Source: OWASP ASVS 5.0, 7.2.4.
        """
        self.handle_rollbacks()
        # Noted first: a sign-in must get the new key, or be refused.
        self._is_sign_in = True
        if self._row is not None and self._row.user_id is not None:
            self.cycle_key()

    @sensitive_variables("old_key", "new_key")
    def cycle_key(self) -> None:
        """Give the session a new key; the old one is invalid at once.

        Without a row, as at most sign-ins, the key is pending: the next save inserts
        the row with all of its data, and so with one write. If a concurrent request has
        given the same sign-in a new key, this request goes on without one.

        Raises ``SessionRefused`` if the session of a user has ended.
        """
        self.handle_rollbacks()
        data = self._session  # type: ignore[attr-defined]
        old_key, new_key = self.session_key, self._new_key(for_sign_in=True)
        if old_key is None or self._is_pending:
            self._session_key = self._pending_key = new_key
            self.modified = True
        elif self.is_key_replaced and self._follow_renewal():
            # One key more could leave the browser with the cookie of the first.
            return
        elif self._move_key(old_key, new_key):
            self._session_key = new_key
            self.modified = True
        elif self._follow_renewal():
            return
        elif SESSION_KEY in data or self.exists(old_key):
            # The row is gone, or another user's by now.
            raise SessionRefused(GONE)
        else:
            # A concurrent request ended the session of a visitor, who now signs in.
            self.create()

    async def acycle_key(self) -> None:
        await sync_to_async(self.cycle_key)()

    @sensitive_variables("old_key", "new_key", "restore")
    def _move_key(self, old_key: str, new_key: str) -> bool:
        row = self._row or self._fetch()
        if row is None:
            return False
        # Of the same user: a new key must not take along a sign-in that this request
        # has not seen.
        condition = self._condition(user_id=row.user_id)
        values: dict[str, Any] = {"key_hash": hash_session_key(new_key)}
        if self._is_sign_in and row.user_id is not None:
            # At once, so that no concurrent request takes the new key for a renewal.
            values["signed_in_at"] = timezone.now()
        move = partial(
            compiled_queries.update, self.model, self._using, condition, values
        )
        with refusing_database_errors():
            is_moved = bool(retry_on_deadlock(self._using, move))
        if is_moved:
            restore = partial(self._restore_key, old_key)
            purge = partial(self.purge_copies, [self._hash_of(old_key)])
            on_commit = [purge] if row.user_id is None else []
            write = TrackedWrite(self._using, *on_commit)
            self._rollback_handlers.register(write, restore)
        return is_moved

    @sensitive_variables("old_key")
    def _restore_key(self, old_key: str) -> None:
        """Take the old key until the next save, unless the row has the new one.

        It must not stay: an attacker who planted it would be signed in.
        """
        if not self.exists(self.session_key):
            self._session_key = old_key
            self._key_was_rolled_back = True

    def _follow_renewal(self) -> bool:
        """Return whether the request goes on without the new key that another has got."""
        return self._is_renewal() and self._follow_new_key()

    def _is_renewal(self) -> bool:
        """Return whether the data still has the user that the row was loaded with."""
        row = self._row
        if row is None or row.user_id is None or self._is_sign_in:
            return False
        loaded = self.decode(row.session_data)
        return has_same_user(loaded, self._session)  # type: ignore[attr-defined]

    def _follow_new_key(self) -> bool:
        """Find the row under the key that a concurrent renewal has given it.

        Return False if there is none that this request may go on with.
        """
        known, key = self._row, self.session_key
        if known is None or known.user_id is None or key is None:
            return False
        find = partial(find_renewed, known, using=self._using)
        with refusing_database_errors():
            row = retry_on_deadlock(self._using, find)
        if row is None:
            return False
        self._replaced_key = ReplacedKey(key, bytes(row.key_hash))
        return True

    def _find_known(self) -> SessionQuerySet:
        row = self._row
        rows = self.model.rows(self._using)
        if row is None or row.user_id is None:
            return rows.none()
        return rows.filter(pk=row.pk, user=row.user_id)

    def _get_new_session_key(self) -> str:
        return new_key(for_sign_in=SESSION_KEY in getattr(self, "_session_cache", {}))

    def _new_key(self, *, for_sign_in: bool) -> str:
        """Return a new key of that class, unless the site's own engine makes keys."""
        if type(self)._get_new_session_key is not OUR_NEW_SESSION_KEY:
            return self._get_new_session_key()
        return new_key(for_sign_in=for_sign_in)

    async def _aget_new_session_key(self) -> str:
        return self._get_new_session_key()

    # End

    @sensitive_variables("session_key")
    def delete(self, session_key: str | None = None) -> None:
        if self._is_pending and session_key in {None, self.session_key}:
            # Inserted to be deleted: a later save is refused, as after any end.
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
        # The row may have been read when it had an older key.
        row.key_hash = self._hash_of(session_key)
        return delete_row(row, rows=rows.filter(pk=row.pk), using=self._using)

    @sensitive_variables("key")
    def flush(self) -> None:
        """Delete the row of the session, and start anew without data and key."""
        self.handle_rollbacks()
        key = self.session_key
        row = self._row
        self.clear()
        if key is not None:
            self._end(
                key,
                row,
                reason=current_end_context().reason or self.end_reason,
                actor=current_end_context().actor or self.end_actor,
            )
        self._row = None
        self._session_key = None
        self.end_reason, self.end_actor = Reason.FLUSHED, None

    async def aflush(self) -> None:
        await sync_to_async(self.flush)()

    @sensitive_variables("session_key", "repeat")
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
                # A concurrent request gave the row another key. Only a sign-out ends
                # it then: the flush of a request with an old password must not.
                rows = self.model.rows(self._using)
                rows.filter(pk=row.pk, user=row.user_id).delete()
        # A rollback of any transaction around it must not undo a sign-out.
        repeat = partial(self._end, session_key, row, reason=reason, actor=actor)
        self._rollback_handlers.register(TrackedWrite(self._using), repeat)

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
        """Delete the expired sessions; yield the size of each batch."""
        yield from mass_deletion.delete_expired(cls.get_expired())


# To detect that a site's own engine overrides the method.
OUR_NEW_SESSION_KEY = SessionStore._get_new_session_key
