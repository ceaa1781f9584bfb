"""The session model's abstract base, and its query set."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from functools import partial
from importlib import import_module
from typing import Any, Self, cast

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models, router
from django.http import HttpRequest
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from wagtail_user_sessions.client.user_agent import DeviceKind, device_label
from wagtail_user_sessions.fields import DigestField, OwnerField
from wagtail_user_sessions.hashing import (
    AUTH_DIGEST_LENGTH,
    KEY_HASH_LENGTH,
    MARKER_KEY_HASH,
    hash_session_key,
)
from wagtail_user_sessions.sql.transactions import retry_on_deadlock

from . import admission
from .deletion import delete_rows
from .reasons import Reason, RevokedCount, end_context
from .visitor_copies import purging, replacing

# Rows of a batch, for callers of ``revoke()`` that may select many.
REVOKE_BATCH_SIZE = 1000
DEFAULT_ENGINE = "wagtail_user_sessions.backends.db.SessionStore"


class SessionQuerySet(models.QuerySet["AbstractSession"]):
    def without_marker(self) -> Self:
        """Return the rows without the not-before marker, which is no session; see
        ``not_before``.
        """
        return self.exclude(key_hash=MARKER_KEY_HASH)

    def active(self) -> Self:
        """Return the sessions that have not expired."""
        return self.filter(**admission.unexpired())

    def expired(self) -> Self:
        """Return the sessions that have expired."""
        return self.filter(expire_date__lte=timezone.now())

    def for_user(self, user: AbstractBaseUser) -> Self:
        """Return all sessions of the user, expired ones included."""
        return self.filter(user=user)

    def valid_for(self, user: AbstractBaseUser) -> Self:
        """Return the user's sessions that no change of the password has ended."""
        return self.filter(user=user, **admission.with_valid_auth_hash(user))

    def for_key(self, session_key: str) -> Self:
        """Return the session with this session key, as it stands in the cookie."""
        return self.filter(key_hash=hash_session_key(session_key))

    def for_request(self, request: HttpRequest) -> Self:
        """Return the session of the request; an empty query set if it has none."""
        pk = current_session_id(request)
        return self.none() if pk is None else self.filter(pk=pk)

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the rows, and their cached copies under the keys they have by then.

        A row may get a new key between its reading and its deletion. A cached copy
        under that key would outlive the row.
        """
        if self._is_undeletable():
            # Django's method raises the error.
            return super().delete()
        using = self._writes_to
        rows = self.using(using).order_by().select_related(None)
        deleted = retry_on_deadlock(using, partial(delete_rows, rows))
        self._result_cache = None
        return deleted

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def update(self, **kwargs: Any) -> int:
        """Update the rows as Django does, but never the user alone. Cached copies of
        their earlier state are no longer believed.

        ``user.session_set.clear()`` would take the sessions off every list, but leave
        the sign-in in their data. Raises ``TypeError`` for ``user`` without
        ``session_data``.
        """
        if not kwargs.keys().isdisjoint({"user", "user_id"}) and (
            "session_data" not in kwargs
        ):
            raise TypeError(
                "The user of a session is who its data is signed in as. "
                "To sign a user out, delete or revoke the sessions."
            )
        with purging(self, kwargs, using=self._writes_to):
            return super().update(**kwargs)

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(
        self,
        objs: Iterable[AbstractSession],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,  # noqa: FBT001, FBT002
        update_conflicts: bool = False,  # noqa: FBT001, FBT002
        *args: Any,
        **kwargs: Any,
    ) -> list[AbstractSession]:
        rows = list(objs)
        for row in rows:
            row.set_sign_in_time()
        changed = rows if update_conflicts else []
        with replacing(self.model, changed, using=self._writes_to):
            return super().bulk_create(
                rows, batch_size, ignore_conflicts, update_conflicts, *args, **kwargs
            )

    bulk_create.alters_data = True  # type: ignore[attr-defined]

    def _is_undeletable(self) -> bool:
        query = self.query
        is_combined = query.is_sliced or query.distinct_fields or query.combinator
        return bool(is_combined) or self._fields is not None  # type: ignore[attr-defined]

    @property
    def _writes_to(self) -> str:
        return self._db or router.db_for_write(self.model)  # type: ignore[attr-defined]

    def revoke(
        self,
        *,
        by: AbstractBaseUser | None = None,
        reason: Reason | str = Reason.REVOKED,
        batch_size: int | None = None,
    ) -> RevokedCount:
        """Delete these sessions: the next request of each is refused.

        Returns how many were deleted. ``by`` and ``reason`` go to the signal
        ``session_ended`` and to the log. With a ``batch_size`` and outside a
        transaction, no more rows than that are loaded or locked at a time, and an
        error leaves the batches before it deleted.
        """
        count, cache_failed = 0, False
        for batch in [self] if batch_size is None else self._batches(batch_size):
            with end_context(reason, by=by) as context:
                _, per_model = batch.delete()
            count += per_model.get(self.model._meta.label, 0)
            cache_failed |= context.cache_failed
        return RevokedCount(count, cache_failed=cache_failed)

    revoke.queryset_only = True  # type: ignore[attr-defined]

    def _batches(self, size: int) -> Iterator[Self]:
        rows = self.order_by()
        # Not from a replica, which may lack the newest rows.
        keys = list(rows.using(self._writes_to).values_list("pk", flat=True))
        for first in range(0, len(keys), size):
            # Repeats the conditions: a row may have another user since its key was
            # read.
            yield rows.filter(pk__in=keys[first : first + size])


def current_session_id(request: HttpRequest | None) -> uuid.UUID | None:
    """Return the id of the request's session; ``None`` where its engine isn't ours,
    and for a request that no session middleware has seen.
    """
    return getattr(getattr(request, "session", None), "id", None)


_Manager = models.Manager.from_queryset(SessionQuerySet)


class SessionManager(_Manager["AbstractSession"]):
    def get_queryset(self) -> SessionQuerySet:
        return cast(SessionQuerySet, super().get_queryset()).without_marker()


class AbstractSession(models.Model):
    """A session with its user, client and place.

    Extend it for columns of your own; then point an engine of your own at it
    with ``get_model_class()``.
    """

    # The order of columns that leaves PostgreSQL the fewest gaps in a row: first
    # values of 16 and 8 bytes, then those of variable length, the longest last.

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.BigIntegerField(default=0, editable=False)
    expire_date = models.DateTimeField(_("expires"), db_index=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    signed_in_at = models.DateTimeField(
        _("signed in"), null=True, blank=True, db_index=True
    )
    # The activity write sets this and the client columns. None of them may be
    # indexed, or PostgreSQL could not keep the update heap-only.
    last_activity = models.DateTimeField(_("last activity"), null=True, blank=True)
    user = OwnerField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("user"),
    )

    # SHA-256 of the session key. The key itself is stored nowhere but in the cookie,
    # so a stolen copy of the table lets nobody sign in.
    key_hash = DigestField(max_length=KEY_HASH_LENGTH, unique=True)
    auth_digest = DigestField(max_length=AUTH_DIGEST_LENGTH, null=True)
    name = models.CharField(_("name"), max_length=64, blank=True)

    ip = models.GenericIPAddressField(_("IP address"), null=True, blank=True)
    device_kind = models.CharField(
        _("kind of device"),
        max_length=8,
        choices=DeviceKind.choices,
        default=DeviceKind.UNKNOWN,
    )
    browser = models.CharField(_("browser"), max_length=64, blank=True)
    os = models.CharField(_("operating system"), max_length=64, blank=True)
    city = models.CharField(_("city"), max_length=128, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    user_agent = models.CharField(_("user agent"), max_length=512, blank=True)

    session_data = models.TextField(_("session data"))

    # Without it, Wagtail would search each saved session for references.
    wagtail_reference_index_ignore = True

    objects = SessionManager()

    class Meta:
        abstract = True
        verbose_name = _("user session")
        verbose_name_plural = _("user sessions")

    def __str__(self) -> str:
        return self.name or self.device_label

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the row. Cached copies of its earlier state are no longer believed."""
        if self._state.adding:
            self.set_sign_in_time()
            if not (kwargs.get("force_update") or kwargs.get("update_fields")):
                super().save(*args, **kwargs)
                return
        using = kwargs.get("using") or self._state.db or router.db_for_write(type(self))
        with replacing(type(self), [self], using=using):
            super().save(*args, **kwargs)

    save.alters_data = True  # type: ignore[attr-defined]

    def set_sign_in_time(self) -> None:
        """Give a row of a user its time of sign-in, if it has none: its creation."""
        if self.user_id is not None and self.signed_in_at is None:
            self.signed_in_at = self.created_at

    def delete(
        self,
        using: str | None = None,
        keep_parents: bool = False,  # noqa: FBT001, FBT002
    ) -> tuple[int, dict[str, int]]:
        if self.pk is None:
            # Django's method raises the error.
            return super().delete(using, keep_parents)
        deleted = self.rows(using).filter(pk=self.pk).delete()
        self.pk = None
        return deleted

    @classmethod
    def rows(cls, using: str | None = None) -> SessionQuerySet:
        """Return all rows, the not-before marker and those that a site's own
        managers leave out included.
        """
        return SessionQuerySet(cls, using=using)

    @classmethod
    def get_session_store_class(cls) -> type[Any]:
        """Return the engine of these rows: SESSION_ENGINE if it uses this model, else
        ``backends.db``.
        """
        engine: type[Any] = import_module(settings.SESSION_ENGINE).SessionStore
        get_model_class = getattr(engine, "get_model_class", None)
        concrete = cls._meta.concrete_model
        if get_model_class is not None and get_model_class() is concrete:
            return engine
        return cast("type[Any]", import_string(DEFAULT_ENGINE))

    def get_decoded(self) -> dict[str, Any]:
        """Return the data of the session; empty if it can't be decoded."""
        data: dict[str, Any] = self.get_session_store_class()().decode(
            self.session_data
        )
        return data

    @property
    def device_label(self) -> str:
        """The name of the device for people, such as "Chrome on Windows"."""
        return device_label(self.device_kind, self.browser, self.os)

    @property
    def place(self) -> str:
        """City and country, as far as they are known, such as "London, GB"."""
        return ", ".join(filter(None, (self.city, self.country)))

    def is_current(self, request: HttpRequest) -> bool:
        """Return whether the request was made with this session."""
        current = current_session_id(request)
        return current is not None and bool(self.pk == current)

    @property
    def is_active(self) -> bool:
        """Whether the next request admits the session, by its row and its user.

        Not once it has expired, its user was deactivated, or the password has
        changed since. Read many rows with ``select_related("user")``.
        """
        return admission.is_admitted(self)

    def ends_with_browser(self) -> bool:
        """Return whether the browser forgets the session when it closes.

        Reads ``session_data``: where that is deferred, each row costs a query.
        """
        store = self.get_session_store_class()()
        return bool(store.ends_with_browser(self.session_data))

    def rename(self, name: str) -> bool:
        """Give the session the name that its user has chosen.

        False, with nothing changed, if the row is gone or has another user by now.
        """
        using = router.db_for_write(type(self))
        rows = self.rows(using).filter(pk=self.pk, user=self.user_id)
        if not retry_on_deadlock(using, partial(rows.update, name=name)):
            return False
        self.name = name
        return True

    def revoke(
        self,
        *,
        by: AbstractBaseUser | None = None,
        reason: Reason | str = Reason.REVOKED,
    ) -> RevokedCount:
        """Delete this session; see ``SessionQuerySet.revoke``.

        0 if the row is gone or has another user by now.
        """
        rows = self.rows().filter(pk=self.pk, user=self.user_id)
        return rows.revoke(by=by, reason=reason)
