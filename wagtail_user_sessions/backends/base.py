"""The session store of one row: how it is read, inserted, updated and merged."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import nullcontext
from functools import partial
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.sessions.backends.base import CreateError, SessionBase
from django.db import DatabaseError, IntegrityError, connections, router, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.views.decorators.debug import sensitive_variables

from wagtail_user_sessions.client.request import Client
from wagtail_user_sessions.exceptions import GONE, SessionRefused
from wagtail_user_sessions.hashing import MARKER_KEY_HASH, hash_session_key
from wagtail_user_sessions.sessions import admission
from wagtail_user_sessions.sessions.base import AbstractSession, SessionQuerySet
from wagtail_user_sessions.signals import session_started
from wagtail_user_sessions.sql import compiled_queries
from wagtail_user_sessions.sql.instances import copy_instance, set_attributes
from wagtail_user_sessions.sql.transactions import RollbackHandlers, TrackedWrite

from . import request_context, row_values, signing
from .merge import Data, merge_into

# How often a merge without row locks is tried again while other requests save.
MERGE_ATTEMPTS = 50
DJANGO_EXPIRES_AT_CLOSE = SessionBase.get_expire_at_browser_close


class ReplacedKey(NamedTuple):
    """A key that a concurrent request has replaced, and the hash of the new one."""

    key: str
    new_hash: bytes


class RowStore(SessionBase):
    """A session that is read from a row of the database, and written there."""

    # Whether the engine keeps copies of the rows in a cache.
    keeps_copies = False
    # Whether the row is to be read together with its user.
    reads_user = False

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        # The request in which the store was made; None outside of one.
        self._context = request_context.current()
        # The key in the cookie, where a concurrent request has given the row another.
        self._replaced_key: ReplacedKey | None = None
        # The row as it was loaded or last written: the base of a merge.
        self._row: AbstractSession | None = None
        # The key by which a row was found.
        self.loaded_key: str | None = None
        # Whether the next save writes over any other data instead of merging.
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
        """Return the model of the rows; a site's own engine returns its own."""
        from wagtail_user_sessions.models import Session

        return Session

    @cached_property
    def model(self) -> type[AbstractSession]:
        return self.get_model_class()

    @property
    def row(self) -> AbstractSession | None:
        """The row as this request knows it; ``None`` if it has read none."""
        return self._row

    @cached_property
    def client(self) -> Client | None:
        """The client of the request; ``None`` outside of one: client columns stay.

        Code without a request, such as a websocket's, may set it: see
        ``client.scope.from_scope()``.
        """
        return None if self._context is None else self._context.read_client()

    def enter(self, context: request_context.RequestContext) -> None:
        """Make the store one of the request's, also if it was made before it."""
        self._context = context

    @property
    def _using(self) -> str:
        # Reads too: a replica may still have rows of ended sessions.
        return router.db_for_write(self.model)

    # Encode

    def encode(self, session_dict: Data) -> str:
        """Return the data as text, signed and encoded as Django does it.

        ``decode()`` doesn't check this signature when the text comes back.
        """
        serialized = self._dumps(session_dict)
        # Django gets a copy: the data may change before it is serialized again.
        text: str = super().encode(self.serializer().loads(serialized))
        signing.add(text, serialized, salt=self.key_salt)
        return text

    def decode(self, session_data: Any) -> Data:
        """Return the data of the text; empty where Django can't decode it either."""
        try:
            serialized = signing.unsign(session_data, salt=self.key_salt)
            data: Data = self.serializer().loads(serialized)
        except Exception:
            # Django's method logs a wrong signature; a site's mixin may still decode.
            data = super().decode(session_data)
        return data

    def ends_with_browser(self, session_data: str) -> bool:
        """Return whether the browser forgets a session with this data when it closes.

        The answer is that of ``get_expire_at_browser_close()`` of a session with
        this data, also where a site's own engine overrides that method.
        """
        data = self.decode(session_data)
        if type(self).get_expire_at_browser_close is not DJANGO_EXPIRES_AT_CLOSE:
            other = type(self)()
            other._session_cache = data  # type: ignore[attr-defined]
            return other.get_expire_at_browser_close()
        expiry = data.get("_session_expiry")
        return (
            settings.SESSION_EXPIRE_AT_BROWSER_CLOSE if expiry is None else expiry == 0
        )

    def _dumps(self, data: Data) -> bytes:
        serialized: bytes = self.serializer().dumps(data)
        return serialized

    # Load

    def load(self) -> Data:
        row = None if self.session_key is None else self._load_row()
        if not hasattr(self, "_session_cache"):
            self._row = row
            if row is None:
                self._session_key = None
            self.loaded_key = self.session_key
        if row is None:
            return {}
        if row.user_id is not None and self._context is not None:
            self._context.note_signed_in(self)
        return row_values.data_of_user(self.decode(row.session_data), row.user_id)

    def _fetch(self) -> AbstractSession | None:
        """Return the row of this key; ``None`` where the session has ended."""
        rows = compiled_queries.fetch(
            self.model,
            self._using,
            Q(key_hash__in=(self._key_hash, MARKER_KEY_HASH)),
            related="user" if self.reads_user else None,
        )
        return admission.accept(rows, now=timezone.now())

    @sensitive_variables("session_key")
    def exists(self, session_key: str | None) -> bool:
        return bool(session_key) and self._find(session_key).exists()

    @sensitive_variables("session_key")
    def _find(self, session_key: str | None) -> SessionQuerySet:
        key_hash = self._hash_of(session_key)
        return self.model.rows(self._using).filter(key_hash=key_hash)

    def _condition(self, **conditions: Any) -> Q:
        """Return the condition of this key's row that also meets ``conditions``."""
        return Q(key_hash=self._key_hash, **conditions)

    @property
    def _key_hash(self) -> bytes:
        return self._hash_of(self.session_key)

    @sensitive_variables("session_key")
    def _hash_of(self, session_key: str | None) -> bytes:
        """Return the hash under which the row of a key stands.

        It is that of another key, which only its own request knows, if this request's
        key was replaced.
        """
        replaced = self._replaced_key
        if replaced is not None and replaced.key == session_key:
            return replaced.new_hash
        return hash_session_key(session_key or "")

    @property
    def is_key_replaced(self) -> bool:
        """Whether a concurrent request has the session's new key, and this one not."""
        replaced = self._replaced_key
        return replaced is not None and replaced.key == self.session_key

    # Insert

    def create_model_instance(self, data: Data) -> AbstractSession:
        """Return a row of this session with the given data, not saved.

        Override it to fill columns of your own; they are written with every
        save of changed data.
        """
        key = self._get_or_create_session_key()  # type: ignore[attr-defined]
        return self.model(key_hash=hash_session_key(key), **self._columns_of(data))

    async def acreate_model_instance(self, data: Data) -> AbstractSession:
        return await sync_to_async(self.create_model_instance)(data)

    def _insert(self, data: Data) -> None:
        row = self.create_model_instance(data)
        set_attributes(row, self._sign_in_columns(None, row.user_id))
        # In a transaction, a savepoint: a key in use must not break the transaction.
        in_atomic_block = connections[self._using].in_atomic_block
        try:
            with transaction.atomic(self._using) if in_atomic_block else nullcontext():
                row.save(force_insert=True, using=self._using)
        except IntegrityError as error:
            if self.exists(self.session_key):
                raise CreateError from error
            raise
        except DatabaseError:
            raise
        except Exception:
            # A receiver has failed: the row may exist, and end before the next save.
            self._row = row
            raise
        self._on_written(row, self._forget_row, is_started=row.user_id is not None)

    def _forget_row(self) -> None:
        # If the row was never inserted, the next save inserts one with a new key.
        if not self.exists(self.session_key):
            self._row = None
            self._session_key = None

    def _columns_of(self, data: Data) -> dict[str, Any]:
        return row_values.data_columns(
            data,
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(expiry=data.get("_session_expiry")),
        )

    def _sign_in_columns(
        self, row: AbstractSession | None, user_id: object
    ) -> dict[str, Any]:
        return row_values.sign_in_columns(
            row,
            user_id,
            is_sign_in=self._is_sign_in,
            read_client=lambda: self.client,
        )

    # Update

    def _update(self, data: Data) -> None:
        row = self._row
        if row is None and self.session_key is not None:
            # Cleared before it was read: the data has nothing of an ended session.
            row = self._fetch()
            if row is None:
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
            row = set_attributes(copy_instance(row), values)
            self._on_written(row, self._rollback_handler())
        elif not self.exists(self.session_key):
            raise SessionRefused(GONE)
        # Else another request has saved the row, perhaps with a shorter expiry.

    def _write(self, row: AbstractSession, data: Data) -> bool:
        """Write the data over the row; return False if its version has changed."""
        new = self._new_columns(data)
        values = {
            **new,
            "version": row.version + new["version"],
            **self._sign_in_columns(row, new["user_id"]),
        }
        if not self._change(row, values):
            return False
        is_started = values["user_id"] not in {None, row.user_id}
        # Only visitors' rows have copies.
        has_copy = None in {row.user_id, values["user_id"]}
        on_commit = [partial(self.purge_copies, [self._key_hash])] if has_copy else []
        row = set_attributes(copy_instance(row), values)
        self._on_written(
            row, self._rollback_handler(), *on_commit, is_started=is_started
        )
        return True

    def _change(self, row: AbstractSession, values: dict[str, Any]) -> bool:
        """Write the columns; return False if the row's version has changed."""
        condition = self._condition(pk=row.pk, version=row.version)
        return bool(compiled_queries.update(self.model, self._using, condition, values))

    def _new_columns(self, data: Data) -> dict[str, Any]:
        """Return the columns that a new row with the data would have.

        The row is created only if the site's engine or model can change its columns.
        """
        # Looked up on the store: a site may have replaced the method of one store.
        create = getattr(self.create_model_instance, "__func__", None)
        if create is CREATE_MODEL_INSTANCE and not row_values.is_customized(self.model):
            return self._columns_of(data)
        return row_values.columns_of_instance(self.create_model_instance(data))

    # Merge

    def _resolve(self, base: AbstractSession, ours: Data) -> None:
        """Merge the data into the row, which another request has changed since."""

        def attempt(*, lock: bool) -> Callable[[], None] | None:
            return self._merge_over(self._reread(base, lock=lock), base, ours)

        if connections[self._using].features.has_select_for_update:
            # A plain read may see an old snapshot; a locked one is the newest.
            with transaction.atomic(using=self._using):
                apply = attempt(lock=True)
        else:
            # Without row locks and without a transaction: SQLite answers "database is
            # locked" to one that goes from reading to writing.
            attempts = (attempt(lock=False) for _ in range(MERGE_ATTEMPTS))
            apply = next(filter(None, attempts), None)
        if apply is None:
            raise SessionRefused("too many requests changed it at once.")
        # The data in memory needs their values too, or a second save would delete
        # them. After the commit: a repeated merge would take them for our changes.
        apply()

    def _reread(self, base: AbstractSession, *, lock: bool) -> AbstractSession:
        row = self._reread_once(base, lock=lock)
        if row is None and self._follow_new_key():
            row = self._reread_once(base, lock=lock)
        if row is None:
            raise SessionRefused(GONE)
        return row

    def _reread_once(
        self, base: AbstractSession, *, lock: bool
    ) -> AbstractSession | None:
        rows = self._find(self.session_key).filter(pk=base.pk)
        return (rows.select_for_update() if lock else rows).first()

    def _follow_new_key(self) -> bool:
        """Find the row under a newer key; return False if it has none."""
        return False

    def _merge_over(
        self, theirs: AbstractSession, base: AbstractSession, ours: Data
    ) -> Callable[[], None] | None:
        """Write the data merged with theirs; ``None`` if their version has changed.

        Returns the function that brings the merge into the data in memory.
        """
        if self._overwrites or theirs.version in self._written:
            return (lambda: None) if self._write(theirs, ours) else None
        merged, apply = merge_into(
            ours,
            base=self.decode(base.session_data),
            theirs=self.decode(theirs.session_data),
            serializer=self.serializer(),
        )
        return apply if self._write(theirs, merged) else None

    # Written rows

    def _on_written(
        self,
        row: AbstractSession,
        on_rollback: Callable[[], None],
        *on_commit: Callable[[], object],
        is_started: bool = False,
    ) -> None:
        """Make a row that was written the known one."""
        self._row = row
        if not connections[self._using].in_atomic_block:
            self._written.clear()
        self._written.add(row.version)
        self._overwrites = self._is_sign_in = False
        if is_started:
            announce = partial(session_started.send_robust, self.model, session=row)
            on_commit = (*on_commit, announce)
        write = TrackedWrite(self._using, *on_commit)
        self._rollback_handlers.register(write, on_rollback)

    def _rollback_handler(self) -> Callable[[], None]:
        """Return what restores the row known now: a merge needs a committed base."""
        row, overwrites, is_sign_in = self._row, self._overwrites, self._is_sign_in

        def restore() -> None:
            # The session may have been cleared since.
            self._overwrites = self._overwrites or overwrites
            self._row, self._is_sign_in = row, is_sign_in

        return restore

    # What the engine with a cache overrides

    def begin_request(self, *, is_read: bool) -> None:
        """Prepare for a request; ``is_read`` says whether its method only reads."""

    def end_request(self) -> None:
        """Offer the row that was read to the cache: the response is made."""

    @classmethod
    def purge_copies(cls, key_hashes: Collection[bytes]) -> bool:
        """Invalidate the copies of visitors' rows; return False if the cache failed."""
        return True

    def _load_row(self) -> AbstractSession | None:
        """Return the row to begin with: of the database, or a copy of it."""
        return self._fetch()

    def _purge_copy(self) -> None:
        self.purge_copies([self._key_hash])


# To detect that a site's own engine overrides the method.
CREATE_MODEL_INSTANCE = RowStore.create_model_instance
