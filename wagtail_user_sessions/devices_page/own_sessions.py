"""The sessions of the request's user, as far as that user may see them."""

from __future__ import annotations

import uuid
from typing import cast

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ImproperlyConfigured
from django.core.signing import BadSignature, Signer
from django.db import router
from django.db.models import Case, Value, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.functional import cached_property

from wagtail_user_sessions.backends.db import SessionStore
from wagtail_user_sessions.sessions.base import AbstractSession, SessionQuerySet


class OwnSessions:
    """The sessions of the user of a request; the user must be signed in."""

    def __init__(self, request: HttpRequest) -> None:
        self.user = cast("AbstractBaseUser", request.user)
        session = request.session
        if not isinstance(session, SessionStore):
            raise ImproperlyConfigured(
                "The sessions of a user are known with an engine of "
                "wagtail_user_sessions alone: see SESSION_ENGINE."
            )
        self.store = session
        self.model = session.model
        self.current_id = session.id

    @property
    def _all(self) -> SessionQuerySet:
        """All rows, from the database that is written to: a replica may still have
        deleted ones.
        """
        return self.model.rows(router.db_for_write(self.model))

    @property
    def rows(self) -> SessionQuerySet:
        """All rows of the user."""
        return self._all.for_user(self.user)

    @property
    def listed(self) -> SessionQuerySet:
        """The rows whose sessions are admitted: the current one first, then the others
        by their last activity, the latest first.
        """
        return (
            self._all.active()
            .valid_for(self.user)
            .order_by(
                Case(When(pk=self.current_id, then=Value(0)), default=Value(1)),
                Coalesce("last_activity", "signed_in_at", "created_at").desc(),
                "pk",
            )
        )

    @property
    def others(self) -> SessionQuerySet:
        return self.listed.exclude(pk__in=[self.current_id])

    def find(self, pk: uuid.UUID) -> AbstractSession | None:
        return self.rows.defer("session_data").filter(pk=pk).first()

    def sign_id(self, pk: uuid.UUID) -> str:
        """Return a signature that proves that the session was on this user's list.

        Forms send it in a hidden field. It distinguishes a session that has ended
        meanwhile from an id that was never this user's: ``find()`` gives None for
        both.
        """
        return self._signer.signature(self._signed_value(pk))

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
