"""The sessions of the user who asks, as far as they are that user's business."""

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
    """Of a request whose user is signed in."""

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
        """From the database that is written to: a replica may still have those that
        have ended.
        """
        return self.model.rows(router.db_for_write(self.model))

    @property
    def rows(self) -> SessionQuerySet:
        """All of the user."""
        return self._all.for_user(self.user)

    @property
    def listed(self) -> SessionQuerySet:
        """Those that would be let in: the current one, then the others by their
        last activity.
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
        """What proves that the session was on this user's list.

        A form sends it along. So one that has ended meanwhile can be told from
        one that never was the user's, though neither has a row to find.
        """
        return self._signer.signature(self._claim(pk))

    def verify_id(self, pk: uuid.UUID, proof: str) -> bool:
        try:
            self._signer.unsign(f"{self._claim(pk)}:{proof}")
        except BadSignature:
            return False
        return True

    @cached_property
    def _signer(self) -> Signer:
        return Signer(salt="wagtail_user_sessions.own_sessions")

    def _claim(self, pk: uuid.UUID) -> str:
        return f"{self.user.pk}/{pk}"
