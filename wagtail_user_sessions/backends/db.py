"""The session engine on the database, for ``SESSION_ENGINE``."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import router
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from wagtail_user_sessions.conf import conf
from wagtail_user_sessions.deletion import delete_row
from wagtail_user_sessions.digests import hash_key
from wagtail_user_sessions.revocation import Reason, because, current
from wagtail_user_sessions.writes import Write, retrying

from . import claims, clearing
from .saving import SavingStore

if TYPE_CHECKING:
    from wagtail_user_sessions.models import AbstractSession, SessionQuerySet


class SessionStore(SavingStore):
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

    @property
    def id(self) -> uuid.UUID | None:
        """The row's public id, or ``None`` while the session has no row."""
        self.keys()
        if self._is_unborn:
            # An empty one: the data is saved only if all goes well.
            self._bear({})
            self._replaces = True
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

    # Ending

    @sensitive_variables("session_key")
    def delete(self, session_key: str | None = None) -> None:
        if self._is_unborn and session_key in {None, self.session_key}:
            # A save that follows is refused, as it is of any row that has ended.
            self._bear({})
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
        row.key_hash = hash_key(session_key)
        return delete_row(row, rows=rows.filter(pk=row.pk), using=self._using)

    @sensitive_variables("key")
    def flush(self) -> None:
        """End the session, and start anew without data and key."""
        self.settle()
        key = self.session_key
        row = self._row
        self.clear()
        if key is not None:
            self._end(
                key,
                row,
                reason=current().reason or self.ending_reason,
                actor=current().actor or self.ending_actor,
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
        with because(reason, by=actor):
            is_ended = self._delete(session_key)
            if not is_ended and row is not None and reason == Reason.SIGNED_OUT:
                # Under the key that a request beside this one has given it.
                rows = self.model.rows(self._using)
                rows = rows.filter(pk=row.pk, user=row.user_id)
                retrying(self._using, rows.delete)
        # A sign-out must not be undone by what the view does next, nor by what
        # is around that.
        again = partial(self._end, session_key, row, reason=reason, actor=actor)
        self._repairs.remember(Write(self._using), again)

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
        yield from clearing.clear(cls.get_expired())

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
        return claims.claim(f"client.{row.pk}")

    @classmethod
    def purge_facts(cls, row: AbstractSession) -> None:
        """The client of this row has changed."""

    @classmethod
    def purge_all(cls) -> bool:
        """Many rows have ended at once; see ``purge_ended``."""
        return True
