"""The session engine on the database, for ``SESSION_ENGINE``."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from copy import copy
from functools import partial
from secrets import randbelow
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.base import (
    VALID_KEY_CHARS,
    CreateError,
    SessionBase,
)
from django.core.cache.backends.locmem import LocMemCache
from django.core.exceptions import ValidationError
from django.db import Error, IntegrityError, connections, models, router, transaction
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.functional import cached_property

from wagtail_user_sessions import facts, signals
from wagtail_user_sessions.client import Client
from wagtail_user_sessions.conf import conf
from wagtail_user_sessions.deletion import delete_in_batches, delete_row
from wagtail_user_sessions.digests import digest_auth_hash, hash_key
from wagtail_user_sessions.exceptions import SessionRefused
from wagtail_user_sessions.merging import Data, merge
from wagtail_user_sessions.revocation import Reason, because, current
from wagtail_user_sessions.writes import Write

if TYPE_CHECKING:
    from wagtail_user_sessions.models import AbstractSession

logger = logging.getLogger(__name__)

# A version grows by at most this much with each save: enough for 2**42 of them.
VERSION_STEP = 2**20
# How often a save without row locks tries again while others save.
MERGE_ATTEMPTS = 50

GONE = "it has ended."

_claims = LocMemCache(__name__, {"OPTIONS": {"MAX_ENTRIES": 10_000}})

# What the row of a session has that nobody is signed in to.
ANONYMOUS = {"signed_in_at": None, "last_activity": None, "name": "", **facts.BLANK}


class SessionStore(SessionBase):
    """A session whose row knows its user and client.

    Works as Django's ``db`` engine does, but for these promises: concurrent
    changes of different keys are both kept, a save never brings an ended
    session back, and two users' data never mix. A save or a change of key that
    would break one raises ``SessionRefused``, which is an ``UpdateError``.
    """

    # The client of the request; None outside of one, and then no fact changes.
    client: Client | None = None
    # Why and by whom the session is about to be flushed, where that is known.
    ending_reason: Reason = Reason.FLUSHED
    ending_actor: AbstractBaseUser | None = None

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        # The row as it was loaded or last written: what a merge is based on.
        self._row: AbstractSession | None = None
        self._replaces = False
        self._signs_in = False
        # What to repair should a write turn out to be rolled back.
        self._repairs: list[tuple[Write, Callable[[], object]]] = []

    @property
    def key_salt(self) -> str:
        # Django's own, so that data of its engines decodes.
        return "django.contrib.sessions.SessionStore"

    @classmethod
    def get_model_class(cls) -> type[AbstractSession]:
        """The model of the rows; a site's own engine answers with its own."""
        from wagtail_user_sessions.models import Session

        return Session

    @cached_property
    def model(self) -> type[AbstractSession]:
        return self.get_model_class()

    @property
    def id(self) -> uuid.UUID | None:
        """The row's public id, or ``None`` while the session has no row."""
        self.keys()
        if self._row is None and self.session_key is not None:
            self._row = self._fetch()
        return None if self._row is None else self._row.pk

    async def aid(self) -> uuid.UUID | None:
        return await sync_to_async(lambda: self.id)()

    @property
    def row(self) -> AbstractSession | None:
        """The row as this request knows it; ``None`` if it wasn't loaded."""
        return self._row

    # Loading

    def load(self) -> Data:
        row = None if self.session_key is None else self._fetch()
        if not hasattr(self, "_session_cache"):
            self._row = row
            if row is None:
                self._session_key = None
        return {} if row is None else self.decode(row.session_data)

    def exists(self, session_key: str | None) -> bool:
        return bool(session_key) and self._find(session_key).exists()

    def get_session_cookie_age(self) -> int:
        age = super().get_session_cookie_age()
        is_anonymous = SESSION_KEY not in getattr(self, "_session_cache", {})
        if is_anonymous and conf.ANONYMOUS_AGE is not None:
            return min(age, conf.ANONYMOUS_AGE)
        return age

    # Saving

    def create(self) -> None:
        while True:
            self._session_key = self._get_new_session_key()
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            self.modified = True
            self._replaces = True
            return

    def clear(self) -> None:
        super().clear()
        self._replaces = True

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002
        """Save the data; see "Saving" in the documentation for what is merged.

        Raises ``CreateError`` where ``must_create`` meets an existing key, and
        ``SessionRefused`` (an ``UpdateError``) where the session has ended or
        its user has changed since it was loaded, or the database fails.
        """
        self.settle()
        if self.session_key is None:
            self.create()
            self._replaces = False
            return
        data = self._get_session(no_load=must_create)
        with _refusing_errors():
            if must_create:
                self._insert(data)
            else:
                self._update(data)

    def create_model_instance(self, data: Data) -> AbstractSession:
        """A row of this session with the data given, not saved.

        Override it to fill columns of your own; they are written with every
        save of changed data.
        """
        auth_hash = data.get(HASH_SESSION_KEY)
        return self.model(
            key_hash=hash_key(self._get_or_create_session_key()),
            version=1 + randbelow(VERSION_STEP),
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(expiry=data.get("_session_expiry")),
            user_id=_user_id(data),
            auth_digest=digest_auth_hash(auth_hash) if auth_hash else None,
        )

    async def acreate_model_instance(self, data: Data) -> AbstractSession:
        return await sync_to_async(self.create_model_instance)(data)

    def _insert(self, data: Data) -> None:
        row = self.create_model_instance(data)
        facts.assign(row, self._sign_in_columns(None, row.user_id))
        try:
            # A savepoint where a transaction is open: a key that is taken must
            # not break it.
            with self._atomic_if_in_transaction():
                row.save(force_insert=True, using=self._using)
        except IntegrityError as error:
            if self.exists(self.session_key):
                raise CreateError from error
            raise
        self._adopt(row, self._forget_row, started=row.user_id is not None)

    def _forget_row(self) -> None:
        # The row was never born: the next save makes a new one.
        self._row = None
        self._session_key = None

    def _update(self, data: Data) -> None:
        row = self._row
        if row is None:
            # Cleared without having been loaded, or gone when it was.
            row = None if self.session_key is None else self._fetch()
        if row is None:
            raise SessionRefused(GONE)
        if not (self._replaces or self._signs_in) and self._is_unchanged(row, data):
            self._extend(row)
        elif not self._write(row, data):
            self._resolve(row, data)

    def _is_unchanged(self, row: AbstractSession, data: Data) -> bool:
        # Compared as serialized: nested values change in place, and Python
        # calls 1, 1.0 and True equal.
        return self._dumps(self.decode(row.session_data)) == self._dumps(data)

    def _extend(self, row: AbstractSession) -> None:
        columns = {"expire_date": self.get_expiry_date()}
        if not self._find(self.session_key, pk=row.pk).update(**columns):
            raise SessionRefused(GONE)
        self._adopt(facts.assign(copy(row), columns), self._restorer(), started=False)

    def _write(self, row: AbstractSession, data: Data) -> bool:
        """Write the data over the row as it is known; False where it has moved."""
        columns = self._columns(row, data)
        rows = self._find(self.session_key, pk=row.pk, version=row.version)
        if not rows.update(**columns):
            return False
        started = columns["user_id"] not in {None, row.user_id}
        row = facts.assign(copy(row), columns)
        self._adopt(
            row,
            self._restorer(),
            lambda: self.purge_changed(row.key_hash),
            started=started,
        )
        return True

    def _resolve(self, base: AbstractSession, ours: Data) -> None:
        """Write over the row that another request has changed meanwhile."""
        if connections[self._using].features.has_select_for_update:
            # A plain read may see an old snapshot; a locked one is the newest.
            with transaction.atomic(using=self._using):
                if self._merge_over(self._reread(base, lock=True), base, ours):
                    return
        else:
            # Without row locks. No transaction: one that goes from reading to
            # writing is told that the database is locked.
            for _ in range(MERGE_ATTEMPTS):
                if self._merge_over(self._reread(base, lock=False), base, ours):
                    return
        raise SessionRefused("too many requests changed it at once.")

    def _reread(self, base: AbstractSession, *, lock: bool) -> AbstractSession:
        rows = self._find(self.session_key, pk=base.pk)
        row = (rows.select_for_update() if lock else rows).first()
        if row is None:
            raise SessionRefused(GONE)
        return row

    def _merge_over(
        self, theirs: AbstractSession, base: AbstractSession, ours: Data
    ) -> bool:
        merged = ours
        if not self._replaces:
            merged = merge(
                self.decode(base.session_data),
                ours,
                self.decode(theirs.session_data),
                dumps=self._dumps,
            )
        if not self._write(theirs, merged):
            return False
        # What was taken over goes into memory too, or a second save of this
        # request would delete it.
        if merged is not ours:
            ours.clear()
            ours.update(merged)
        return True

    # What is written

    def _columns(self, row: AbstractSession, data: Data) -> dict[str, Any]:
        new = self.create_model_instance(data)
        names = ("session_data", "expire_date", "user_id", "auth_digest")
        return {
            **{name: getattr(new, name) for name in (*names, *self._own_columns)},
            **self._sign_in_columns(row, new.user_id),
            "version": row.version + new.version,
        }

    @cached_property
    def _own_columns(self) -> list[str]:
        """The columns that a site's own model has beyond ours."""
        from wagtail_user_sessions.models import AbstractSession

        ours = {field.name for field in AbstractSession._meta.local_fields}
        fields = self.model._meta.concrete_fields
        return [field.attname for field in fields if field.name not in ours]

    def _sign_in_columns(
        self, row: AbstractSession | None, user_id: object
    ) -> dict[str, Any]:
        """What changes with the row's user: nothing while it stays the same."""
        known_id = None if row is None else row.user_id
        if user_id is None:
            return {} if known_id is None else ANONYMOUS
        if user_id == known_id and not self._signs_in:
            return {}
        now = timezone.now()
        columns: dict[str, Any] = {"signed_in_at": now, "last_activity": now}
        if known_id not in {None, user_id}:
            columns["name"] = ""
        if self.client is not None:
            columns |= facts.collect(self.client)
        return columns

    def _dumps(self, data: Data) -> bytes:
        serialized: bytes = self.serializer().dumps(data)
        return serialized

    # Signing in and out

    def mark_signed_in(self) -> None:
        """The user has just signed in: give the session a new key, if it has
        kept the one that it had before, and write when that was.

        Source: OWASP ASVS 5.0, 7.2.4.
        """
        if self._row is not None and self._row.user_id is not None:
            self.cycle_key()
        self._signs_in = True

    def cycle_key(self) -> None:
        """Give the session a new key; the old one is dead at once.

        Raises ``SessionRefused`` where the session of a user has ended.
        """
        data = self._session
        old_key = self.session_key
        if old_key is None:
            self.create()
            return
        new_key = self._get_new_session_key()
        if self._move_key(old_key, new_key):
            self._session_key = new_key
            self.modified = True
        elif SESSION_KEY in data:
            raise SessionRefused(GONE)
        else:
            # Someone is just signing in, beside a request that ended the
            # visitor's session.
            self.create()

    async def acycle_key(self) -> None:
        await sync_to_async(self.cycle_key)()

    def _move_key(self, old_key: str, new_key: str) -> bool:
        old_hash, new_hash = hash_key(old_key), hash_key(new_key)
        self.purge_ended([old_hash])
        with _refusing_errors():
            moved = bool(self._find(old_key).update(key_hash=new_hash))
        if moved:
            # Signed in under the old key, a session could be one that somebody
            # else has planted: should this be rolled back, it is done again.
            self._remember(
                lambda: self._move_key(old_key, new_key),
                lambda: self.purge_ended([old_hash]),
            )
            if self._row is not None:
                self._row.key_hash = new_hash
        return moved

    def delete(self, session_key: str | None = None) -> None:
        session_key = session_key or self.session_key
        if session_key is None:
            return
        rows = self._find(session_key)
        row = self._row if session_key == self.session_key else None
        if row is None:
            row = rows.defer("session_data").first()
        if row is not None:
            delete_row(row, rows=rows.filter(pk=row.pk), using=self._using)

    def flush(self) -> None:
        """End the session, and start anew without data and key."""
        key = self.session_key
        self.clear()
        if key is not None:
            self._end(key)
            # A sign-out must not be undone by what the view does next.
            self._remember(lambda: self._end(key))
        self._row = None
        self._session_key = None

    async def aflush(self) -> None:
        await sync_to_async(self.flush)()

    def _end(self, session_key: str) -> None:
        if current().reason is not None:
            self.delete(session_key)
            return
        with because(self.ending_reason, by=self.ending_actor):
            self.delete(session_key)

    # Transactions

    def settle(self) -> None:
        """Repair what a transaction has rolled back since the view returned.

        Data that wasn't written counts as not written, and a flush or a new
        key is made true after all.
        """
        remembered = self._repairs
        self._repairs = [entry for entry in remembered if entry[0].pending]
        for repair in [
            repair for write, repair in reversed(remembered) if write.rolled_back
        ]:
            repair()

    def _remember(
        self, repair: Callable[[], object], *then: Callable[[], object]
    ) -> None:
        write = Write(self._using, *then)
        if not write.committed:
            self._repairs.append((write, repair))

    def _restorer(self) -> Callable[[], None]:
        known = self._row, self._replaces, self._signs_in

        def restore() -> None:
            self._row, self._replaces, self._signs_in = known

        return restore

    def _adopt(
        self,
        row: AbstractSession,
        repair: Callable[[], None],
        *then: Callable[[], object],
        started: bool,
    ) -> None:
        """Take a row that was written as the one that is known."""
        self._row = row
        self._replaces = self._signs_in = False
        if started:
            announce = partial(signals.session_started.send_robust, self.model)
            then = (*then, lambda: announce(session=row))
        self._remember(repair, *then)

    # The database

    @property
    def _using(self) -> str:
        # The one that is written to: a replica may not know yet of an end.
        return router.db_for_write(self.model)

    def _find(
        self, session_key: str | None, **conditions: Any
    ) -> models.QuerySet[AbstractSession]:
        return self.model._base_manager.using(self._using).filter(
            key_hash=hash_key(session_key or ""), **conditions
        )

    def _fetch(self) -> AbstractSession | None:
        """The row of this key, if it hasn't ended."""
        try:
            return self._find(self.session_key).get(expire_date__gt=timezone.now())
        except self.model.DoesNotExist:
            return None

    def _atomic_if_in_transaction(self) -> Any:
        if connections[self._using].in_atomic_block:
            return transaction.atomic(using=self._using)
        return nullcontext()

    def _get_new_session_key(self) -> str:
        # 165 random bits: no need to ask whether the key is in use, and the
        # unique column would tell.
        return get_random_string(32, VALID_KEY_CHARS)

    async def _aget_new_session_key(self) -> str:
        return self._get_new_session_key()

    @classmethod
    def clear_expired(cls) -> None:
        """Delete the expired sessions, a batch at a time."""
        for _ in cls.clear_expired_in_batches():
            pass

    @classmethod
    def clear_expired_in_batches(cls) -> Iterator[int]:
        """Delete the expired sessions; yields how many each batch had."""
        # Copies in the cache refuse themselves after their expiry.
        return delete_in_batches(
            cls.get_expired().order_by("expire_date"), reason=Reason.EXPIRED
        )

    @classmethod
    def get_expired(cls) -> models.QuerySet[AbstractSession]:
        model = cls.get_model_class()
        rows = model._base_manager.using(router.db_for_write(model))
        return rows.filter(expire_date__lt=timezone.now())

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
        return _claims.add(str(row.pk), 1, timeout=conf.ACTIVITY_INTERVAL)

    # The cache, of which this engine has none

    @classmethod
    def purge_facts(cls, row: AbstractSession) -> None:
        """The client of this row has changed."""

    @classmethod
    def purge_changed(cls, key_hash: bytes) -> None:
        """The data of this row has changed."""

    @classmethod
    def purge_ended(cls, key_hashes: Iterable[bytes]) -> bool:
        """These rows have ended; False where the cache could not be told."""
        return True

    @classmethod
    def purge_all(cls) -> bool:
        """Many rows have ended at once; see ``purge_ended``."""
        return True


def _user_id(data: Data) -> Any:
    """The user that the data is signed in as, as a value of the key's column."""
    value = data.get(SESSION_KEY)
    if value is None:
        return None
    key = get_user_model()._meta.pk
    try:
        return key.to_python(value)
    except ValidationError:
        return None


@contextmanager
def _refusing_errors() -> Iterator[None]:
    try:
        yield
    except Error as error:
        logger.exception("The database refused to save a session")
        raise SessionRefused("the database refused it.") from error
