"""How a session is found in its row."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import nullcontext
from functools import partial
from secrets import randbelow
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, SessionBase
from django.db import DatabaseError, IntegrityError, connections, router, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.views.decorators.debug import sensitive_variables

from wagtail_user_sessions import signals
from wagtail_user_sessions.client.request import Client
from wagtail_user_sessions.exceptions import GONE, SessionRefused
from wagtail_user_sessions.hashing import (
    MARKER_KEY_HASH,
    digest_auth_hash,
    hash_session_key,
)
from wagtail_user_sessions.sessions import admission
from wagtail_user_sessions.sessions.base import AbstractSession, SessionQuerySet
from wagtail_user_sessions.sql import compiled_queries
from wagtail_user_sessions.sql.instances import (
    copy_instance,
    customizes_init,
    set_attributes,
)
from wagtail_user_sessions.sql.transactions import RollbackHandlers, TrackedWrite

from . import row_values, signing
from .merge import AUTH_KEYS, Data, apply_merge, merge

# A version grows by at most this much with each save: enough for 2**42 of them.
VERSION_STEP = 2**20
# How often a save without row locks tries again while others save.
MERGE_ATTEMPTS = 50
DJANGO_EXPIRES_AT_CLOSE = SessionBase.get_expire_at_browser_close


class RowStore(SessionBase):
    """A session that is read from a row of the database, and written there."""

    # Whether a cache repeats the rows.
    keeps_copies = False
    # Whether the row is read together with its user, because that one is asked for.
    reads_user = False

    # Tells the client of the request; None outside of one.
    read_client: Callable[[], Client] | None = None

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        # The row as it was loaded or last written: what a merge is based on.
        self._row: AbstractSession | None = None
        # The key by which a row was found.
        self.loaded_key: str | None = None
        # Whether the next save writes over whatever is there.
        self._overwrites = False
        # Whether the next save is that of a sign-in.
        self._is_sign_in = False
        self._rollback_handlers = RollbackHandlers()
        # The versions that this store has written in the open transaction.
        self._written: set[int] = set()

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
    def row(self) -> AbstractSession | None:
        """The row as this request knows it; ``None`` where it read none."""
        return self._row

    def load(self) -> Data:
        row = None if self.session_key is None else self._fetch()
        if not hasattr(self, "_session_cache"):
            self._row = row
            if row is None:
                self._session_key = None
            self.loaded_key = self.session_key
        return {} if row is None else self._decode_row(row)

    def encode(self, session_dict: Data) -> str:
        """As Django's, but that the signature isn't checked when it comes back."""
        serialized = self.serializer().dumps(session_dict)
        # Of a copy, which nobody changes meanwhile.
        text: str = super().encode(self.serializer().loads(serialized))
        signing.add(text, serialized, salt=self.key_salt)
        return text

    def decode(self, session_data: Any) -> Data:
        """As Django's, but that the same signature isn't checked again and again."""
        try:
            serialized = signing.unsign(session_data, salt=self.key_salt)
            data: Data = self.serializer().loads(serialized)
        except Exception:
            # Django says what is wrong.
            data = super().decode(session_data)
        return data

    def ends_with_browser(self, session_data: str) -> bool:
        """Return whether the browser forgets a session with this data when it closes.

        As ``get_expire_at_browser_close()`` says of this session itself: it is asked
        where a site's own engine overrides it.
        """
        data = self.decode(session_data)
        if type(self).get_expire_at_browser_close is not DJANGO_EXPIRES_AT_CLOSE:
            other = type(self)()
            other._session_cache = data  # type: ignore[attr-defined]
            return other.get_expire_at_browser_close()
        expiry = data.get("_session_expiry")
        return (
            settings.SESSION_EXPIRE_AT_BROWSER_CLOSE if expiry is None else not expiry
        )

    def _decode_row(self, row: AbstractSession) -> Data:
        data: Data = self.decode(row.session_data)
        if not row_values.is_of_user(data, row.user_id):
            # Somebody has taken the row from its user, who could no longer list
            # or end the session. So nobody is signed in to it.
            for name in AUTH_KEYS:
                data.pop(name, None)
        return data

    @sensitive_variables("session_key")
    def exists(self, session_key: str | None) -> bool:
        return bool(session_key) and self._find(session_key).exists()

    def _fetch(self) -> AbstractSession | None:
        """The row of this key, if it hasn't ended."""
        rows = compiled_queries.fetch(
            self.model,
            self._using,
            Q(key_hash__in=(hash_session_key(self.session_key or ""), MARKER_KEY_HASH)),
            related="user" if self.reads_user else None,
        )
        return admission.accept(rows, now=timezone.now())

    def _condition(self, **conditions: Any) -> Q:
        """Names the row of this session's key, if it also meets the conditions."""
        return Q(key_hash=hash_session_key(self.session_key or ""), **conditions)

    @sensitive_variables("session_key")
    def _find(self, session_key: str | None) -> SessionQuerySet:
        return self.model.rows(self._using).filter(
            key_hash=hash_session_key(session_key or "")
        )

    @property
    def _using(self) -> str:
        # The one that is written to: a replica may not know yet of an end.
        return router.db_for_write(self.model)

    # What is written

    @cached_property
    def client(self) -> Client | None:
        """The client of the request; ``None`` outside of one, and then no fact of
        the row changes.
        """
        return None if self.read_client is None else self.read_client()

    def create_model_instance(self, data: Data) -> AbstractSession:
        """A row of this session with the data given, not saved.

        Override it to fill columns of your own; they are written with every
        save of changed data.
        """
        key = self._get_or_create_session_key()  # type: ignore[attr-defined]
        return self.model(key_hash=hash_session_key(key), **self._columns_of(data))

    def _columns_of(self, data: Data) -> dict[str, Any]:
        """What a row has of its data, and by how much its version grows with it."""
        auth_hash = data.get(HASH_SESSION_KEY)
        return {
            "version": 1 + randbelow(VERSION_STEP),
            "session_data": self.encode(data),
            "expire_date": self.get_expiry_date(expiry=data.get("_session_expiry")),
            "user_id": row_values.user_id_of(data),
            "auth_digest": digest_auth_hash(auth_hash) if auth_hash else None,
        }

    async def acreate_model_instance(self, data: Data) -> AbstractSession:
        return await sync_to_async(self.create_model_instance)(data)

    def _insert(self, data: Data) -> None:
        row = self.create_model_instance(data)
        set_attributes(row, self._signed_in_columns(None, row.user_id))
        try:
            # A savepoint where a transaction is open: a key that is taken must
            # not break it.
            with self._atomic_in_transaction():
                row.save(force_insert=True, using=self._using)
        except IntegrityError as error:
            if self.exists(self.session_key):
                raise CreateError from error
            raise
        except DatabaseError:
            raise
        except Exception:
            # A receiver's: the row may be there, and have ended before the next save.
            self._row = row
            raise
        self._on_written(row, self._forget_row, is_started=row.user_id is not None)

    def _forget_row(self) -> None:
        # Where the row was never born, the next save makes a new one.
        if not self.exists(self.session_key):
            self._row = None
            self._session_key = None

    def _update(self, data: Data) -> None:
        row = self._row
        if row is None and self.session_key is not None:
            # Cleared unread.
            row = self._fetch()
            if row is None:
                # Nothing of an ended session is in it.
                self.create()
                return
        if row is None:
            raise SessionRefused(GONE)
        if self._is_unchanged(row, data):
            self._extend(row)
        elif not self._write(row, data):
            self._resolve(row, data)

    def _is_unchanged(self, row: AbstractSession, data: Data) -> bool:
        if self._overwrites or self._is_sign_in:
            return False
        # Compared as serialized: nested values change in place, and Python
        # calls 1, 1.0 and True equal.
        return self._dumps(self.decode(row.session_data)) == self._dumps(data)

    def _extend(self, row: AbstractSession) -> None:
        values = {"expire_date": self.get_expiry_date()}
        if self._change(row, values):
            self._on_written(
                set_attributes(copy_instance(row), values), self._rollback_handler()
            )
        elif not self.exists(self.session_key):
            raise self._gone()
        # Else somebody has saved it, with an expiry that may be a shorter one.

    def _write(self, row: AbstractSession, data: Data) -> bool:
        """Write the data over the row as it is known; False where it has moved."""
        values = self._values(row, data)
        if not self._change(row, values):
            return False
        is_started = values["user_id"] not in {None, row.user_id}
        row = set_attributes(copy_instance(row), values)
        purge = partial(self.purge_changed, hash_session_key(self.session_key or ""))
        self._on_written(row, self._rollback_handler(), purge, is_started=is_started)
        return True

    def _change(self, row: AbstractSession, values: dict[str, Any]) -> bool:
        """Write the columns; False where the row isn't as it is known any more."""
        condition = self._condition(pk=row.pk, version=row.version)
        return bool(compiled_queries.update(self.model, self._using, condition, values))

    def _resolve(self, base: AbstractSession, ours: Data) -> None:
        """Write over the row that another request has changed meanwhile."""
        if connections[self._using].features.has_select_for_update:
            # A plain read may see an old snapshot; a locked one is the newest.
            with transaction.atomic(using=self._using):
                taken = self._merge_over(self._reread(base, lock=True), base, ours)
        else:
            # Without row locks. No transaction: one that goes from reading to
            # writing is told that the database is locked.
            taken = None
            for _ in range(MERGE_ATTEMPTS):
                taken = self._merge_over(self._reread(base, lock=False), base, ours)
                if taken is not None:
                    break
        if taken is None:
            raise SessionRefused("too many requests changed it at once.")
        # In memory too, or a second save of this request would delete it. Not
        # before it has committed: a repeated merge would think that it is ours.
        taken()

    def _reread(self, base: AbstractSession, *, lock: bool) -> AbstractSession:
        rows = self._find(self.session_key).filter(pk=base.pk)
        row = (rows.select_for_update() if lock else rows).first()
        if row is None:
            raise self._gone()
        return row

    def _gone(self) -> SessionRefused:
        # It was read as alive: by a copy, perhaps, that outlived it.
        self.purge_ended([hash_session_key(self.session_key or "")])
        return SessionRefused(GONE)

    def _merge_over(
        self, theirs: AbstractSession, base: AbstractSession, ours: Data
    ) -> Callable[[], None] | None:
        """Write the data merged with theirs; ``None`` where they have moved again.

        Returns what takes into memory what the merge has taken over.
        """
        if self._overwrites or theirs.version in self._written:
            return (lambda: None) if self._write(theirs, ours) else None
        before: Data = self.serializer().loads(self._dumps(ours))
        merged = merge(
            self.decode(base.session_data),
            before,
            self.decode(theirs.session_data),
            dumps=self._dumps,
        )
        if not self._write(theirs, merged):
            return None
        return partial(apply_merge, ours, before, merged, dumps=self._dumps)

    def _values(self, row: AbstractSession, data: Data) -> dict[str, Any]:
        new = self._new_columns(data)
        return {
            **new,
            "version": row.version + new["version"],
            **self._signed_in_columns(row, new["user_id"]),
        }

    def _new_columns(self, data: Data) -> dict[str, Any]:
        """What is written of the data: as a new row would have it, which is made only
        where the site's engine or model may have a part in it.
        """
        # Of this session too, which may have been given one.
        create = getattr(self.create_model_instance, "__func__", None)
        is_ours = create is CREATE_MODEL_INSTANCE
        if is_ours and not (
            row_values.own_fields(self.model) or customizes_init(self.model)
        ):
            return self._columns_of(data)
        row = self.create_model_instance(data)
        ours = {name: getattr(row, name) for name in row_values.DATA_COLUMNS}
        return {**ours, **row_values.own_columns(row)}

    def _signed_in_columns(
        self, row: AbstractSession | None, user_id: object
    ) -> dict[str, Any]:
        return row_values.sign_in_columns(
            row,
            user_id,
            is_sign_in=self._is_sign_in,
            read_client=lambda: self.client,
        )

    def _dumps(self, data: Data) -> bytes:
        serialized: bytes = self.serializer().dumps(data)
        return serialized

    def _atomic_in_transaction(self) -> Any:
        if connections[self._using].in_atomic_block:
            return transaction.atomic(using=self._using)
        return nullcontext()

    # What was written

    def _on_written(
        self,
        row: AbstractSession,
        repair: Callable[[], None],
        *then: Callable[[], object],
        is_started: bool = False,
    ) -> None:
        """Take a row that was written as the one that is known."""
        self._row = row
        if not connections[self._using].in_atomic_block:
            self._written.clear()
        self._written.add(row.version)
        self._overwrites = self._is_sign_in = False
        if is_started:
            announce = partial(signals.session_started.send_robust, self.model)
            then = (*then, lambda: announce(session=row))
        self._rollback_handlers.register(TrackedWrite(self._using, *then), repair)

    def _rollback_handler(self) -> Callable[[], None]:
        """Restores what is known now: what was written becomes the base of a
        merge only when it has committed.
        """
        row, replaces, is_sign_in = self._row, self._overwrites, self._is_sign_in

        def restore() -> None:
            # It may have been cleared since.
            self._overwrites = self._overwrites or replaces
            self._row, self._is_sign_in = row, is_sign_in

        return restore

    # A cache, where there is one, is told of these

    def begin_request(self) -> None:
        """A request has begun, of whose end is told as well."""

    def end_request(self) -> None:
        """It is over: what it has read may be kept for the next one."""

    @classmethod
    def purge_changed(cls, key_hash: bytes) -> None:
        """The data of this row, or its client, has changed."""

    @classmethod
    def purge_ended(cls, key_hashes: Collection[bytes]) -> bool:
        """These rows have ended; False where the cache could not be told."""
        return True


# In whose place a site's own engine may have another.
CREATE_MODEL_INSTANCE = RowStore.create_model_instance
