"""The sessions of the request's user, as far as that user may see them."""

from __future__ import annotations

import uuid
from typing import cast

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ImproperlyConfigured
from django.core.signing import BadSignature, Signer
from django.db import router
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.safestring import SafeString

from wagtail_user_sessions.backends.db import SessionStore
from wagtail_user_sessions.backends.engine import get_engine
from wagtail_user_sessions.sessions import admission
from wagtail_user_sessions.sessions.base import (
    AbstractSession,
    SessionQuerySet,
    current_session_id,
)
from wagtail_user_sessions.sql import compiled_queries

from . import list_params

# By their last activity, else the sign-in, which counts as activity: as
# ``device_item.last_used()`` returns it.
LATEST_FIRST = (Coalesce("last_activity", "signed_in_at", "created_at").desc(), "pk")


def is_signed_in(request: HttpRequest) -> bool:
    """Return whether the request has a user; not without Django's middleware."""
    user = getattr(request, "user", None)
    return user is not None and bool(user.is_authenticated)


class OwnSessions:
    """The sessions of the user of a request; the user must be signed in.

    None is the current one of a request without a session, such as one that a
    renderer has made.
    """

    def __init__(self, request: HttpRequest) -> None:
        self.user = cast("AbstractBaseUser", request.user)
        session = getattr(request, "session", None)
        if session is None:
            session = get_engine(strict=True)()
        if not isinstance(session, SessionStore):
            raise ImproperlyConfigured(
                "The sessions of a user are known with an engine of "
                "wagtail_user_sessions alone: see SESSION_ENGINE."
            )
        self.store = session
        self.model = session.model
        self.current_id = current_session_id(request)

    @property
    def _using(self) -> str:
        # A replica may still have deleted rows.
        return router.db_for_write(self.model)

    @property
    def rows(self) -> SessionQuerySet:
        """All rows of the user."""
        return self.model.rows(self._using).for_user(self.user)

    @property
    def _admission(self) -> admission.Lookups:
        of_user = {"user_id": self.user.pk}
        valid = admission.with_valid_auth_hash(self.user)
        return of_user | admission.unexpired() | valid

    @property
    def admitted(self) -> SessionQuerySet:
        """The rows whose sessions the next request lets in."""
        return self.model.rows(self._using).filter(**self._admission)

    @property
    def others(self) -> SessionQuerySet:
        return self.admitted.exclude(pk__in=[self.current_id])

    def latest(self, number: int) -> list[AbstractSession]:
        """Return so many of the admitted rows: the current one first, then the others
        by their last activity, the latest first.
        """
        rows = compiled_queries.fetch(
            self.model,
            self._using,
            Q(**self._admission),
            order_by=LATEST_FIRST,
            limit=list_params.next_length(number),
        )
        rows = rows[:number]
        current = [row for row in rows if row.pk == self.current_id]
        if not current and self.current_id is not None:
            # The others have been used since its last activity was written.
            current = list(self.admitted.filter(pk=self.current_id))
        others = [row for row in rows if row.pk != self.current_id]
        return [*current, *others][:number]

    def find(self, pk: uuid.UUID) -> AbstractSession | None:
        return self.rows.defer("session_data").filter(pk=pk).first()

    def sign_id(self, pk: uuid.UUID) -> str:
        """Return a signature that proves that the session was on this user's list.

        Forms send it in a hidden field. It distinguishes a session that has ended
        meanwhile from an id that was never this user's: ``find()`` gives None for
        both.
        """
        # Safe: letters, digits, hyphens and underscores only.
        return SafeString(self._signer.signature(self._signed_value(pk)))

    def verify_id(self, pk: uuid.UUID, proof: str) -> bool:
        """Return whether ``proof`` comes from ``sign_id()`` of this id and user."""
        try:
            self._signer.unsign(f"{self._signed_value(pk)}:{proof}")
        except BadSignature:
            return False
        return True

    @cached_property
    def _signer(self) -> Signer:
        return Signer(salt="wagtail_user_sessions.own_sessions")

    def _signed_value(self, pk: uuid.UUID) -> str:
        return f"{self.user.pk}/{pk}"
