"""How a session is found in its row."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django.contrib.sessions.backends.base import SessionBase
from django.db import router
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.views.decorators.debug import sensitive_variables

from wagtail_user_sessions import barrier, columns, plans
from wagtail_user_sessions.digests import NO_KEY, hash_key
from wagtail_user_sessions.merging import TRIPLE, Data

from . import signatures

if TYPE_CHECKING:
    from wagtail_user_sessions.models import AbstractSession, SessionQuerySet


class RowReader(SessionBase):
    """A session that is read from a row of the database."""

    # Whether a cache repeats the rows.
    keeps_copies = False
    # Whether the row is read together with its user, because that one is asked for.
    reads_user = False

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        # The row as it was loaded or last written: what a merge is based on.
        self._row: AbstractSession | None = None
        # The key by which a row was found.
        self.loaded_key: str | None = None

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
        signatures.remember(text, serialized, salt=self.key_salt)
        return text

    def decode(self, session_data: Any) -> Data:
        """As Django's, but that the same signature isn't checked again and again."""
        try:
            serialized = signatures.unsign(session_data, salt=self.key_salt)
            data: Data = self.serializer().loads(serialized)
        except Exception:
            # Django says what is wrong.
            data = super().decode(session_data)
        return data

    def _decode_row(self, row: AbstractSession) -> Data:
        data: Data = self.decode(row.session_data)
        if not columns.is_of_user(data, row.user_id):
            # Somebody has taken the row from its user, who could no longer list
            # or end the session. So nobody is signed in to it.
            for name in TRIPLE:
                data.pop(name, None)
        return data

    @sensitive_variables("session_key")
    def exists(self, session_key: str | None) -> bool:
        return bool(session_key) and self._find(session_key).exists()

    def _fetch(self) -> AbstractSession | None:
        """The row of this key, if it hasn't ended."""
        rows = plans.read_all(
            self.model,
            self._using,
            Q(key_hash__in=(hash_key(self.session_key or ""), NO_KEY)),
            related="user" if self.reads_user else None,
        )
        now = timezone.now()
        return barrier.admitted(row for row in rows if row.expire_date > now)

    def _condition(self, **conditions: Any) -> Q:
        """Names the row of this session's key, if it also meets the conditions."""
        return Q(key_hash=hash_key(self.session_key or ""), **conditions)

    @sensitive_variables("session_key")
    def _find(self, session_key: str | None) -> SessionQuerySet:
        return self.model.rows(self._using).filter(key_hash=hash_key(session_key or ""))

    @property
    def _using(self) -> str:
        # The one that is written to: a replica may not know yet of an end.
        return router.db_for_write(self.model)

    # A cache, where there is one, is told of these

    def begin_request(self) -> None:
        """A request has begun, of whose end is told as well."""

    def end_request(self) -> None:
        """It is over: what it has read may be kept for the next one."""

    @classmethod
    def purge_changed(cls, key_hash: bytes) -> None:
        """The data of this row has changed."""

    @classmethod
    def purge_ended(cls, key_hashes: Collection[bytes]) -> bool:
        """These rows have ended; False where the cache could not be told."""
        return True
