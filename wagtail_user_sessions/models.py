from __future__ import annotations

import uuid
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models, router
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import devices
from .digests import AUTH_DIGEST_LENGTH, KEY_HASH_LENGTH, auth_digests
from .fields import DigestField
from .query_sets import SessionManager, SessionQuerySet
from .revocation import Reason, RevokedCount
from .writes import Write

if TYPE_CHECKING:
    from .backends.db import SessionStore

__all__ = ["AbstractSession", "Session", "SessionManager", "SessionQuerySet"]


class AbstractSession(models.Model):
    """A session that knows its user, client and place.

    Extend it for columns of your own; then point an engine of your own at it
    with ``get_model_class()``.
    """

    # In the order in which PostgreSQL leaves the fewest gaps between the values of a
    # row: first those of 16 and 8 bytes, then those of any length, the longest last.

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.BigIntegerField(default=0, editable=False)
    expire_date = models.DateTimeField(_("expires"), db_index=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    signed_in_at = models.DateTimeField(
        _("signed in"), null=True, blank=True, db_index=True
    )
    # The activity update writes this and all that is known of the client. None may
    # be indexed, or PostgreSQL could not keep the update heap-only.
    last_activity = models.DateTimeField(_("last activity"), null=True, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("user"),
    )

    # SHA-256 of the session key. The key itself is kept nowhere but in the
    # cookie, so a stolen copy of the table signs nobody in.
    key_hash = DigestField(max_length=KEY_HASH_LENGTH, unique=True)
    auth_digest = DigestField(max_length=AUTH_DIGEST_LENGTH, null=True)
    name = models.CharField(_("name"), max_length=64, blank=True)

    ip = models.GenericIPAddressField(_("IP address"), null=True, blank=True)
    device_kind = models.CharField(
        _("kind of device"),
        max_length=8,
        choices=devices.Kind.choices,
        default=devices.Kind.UNKNOWN,
    )
    browser = models.CharField(_("browser"), max_length=64, blank=True)
    os = models.CharField(_("operating system"), max_length=64, blank=True)
    city = models.CharField(_("city"), max_length=128, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    user_agent = models.CharField(_("user agent"), max_length=512, blank=True)

    session_data = models.TextField(_("session data"))

    # Wagtail would look for references in each session that is saved.
    wagtail_reference_index_ignore = True

    objects = SessionManager()

    class Meta:
        abstract = True
        verbose_name = _("user session")
        verbose_name_plural = _("user sessions")

    def __str__(self) -> str:
        return self.name or self.device_label

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the row; what the cache repeats of it is no longer believed."""
        is_new = self._state.adding
        if is_new:
            self.complete()
        super().save(*args, **kwargs)
        if not is_new:
            purge = partial(self.get_session_store_class().purge_changed, self.key_hash)
            Write(self._state.db or router.db_for_write(type(self)), purge)

    save.alters_data = True  # type: ignore[attr-defined]

    def complete(self) -> None:
        """Whoever has a session has signed in to it: at its birth, if nobody says."""
        if self.user_id is not None and self.signed_in_at is None:
            self.signed_in_at = self.created_at

    def delete(
        self,
        using: str | None = None,
        keep_parents: bool = False,  # noqa: FBT001, FBT002
    ) -> tuple[int, dict[str, int]]:
        if self.pk is None:
            # Django says what is wrong.
            return super().delete(using, keep_parents)
        deleted = self.rows(using).filter(pk=self.pk).delete()
        self.pk = None
        return deleted

    @classmethod
    def rows(cls, using: str | None = None) -> SessionQuerySet:
        """All rows, whatever a site's own managers leave out."""
        return SessionQuerySet(cls, using=using)

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        """The engine that keeps these rows: SESSION_ENGINE, where it is ours."""
        engine = import_module(settings.SESSION_ENGINE).SessionStore
        get_model_class = getattr(engine, "get_model_class", None)
        concrete = cls._meta.concrete_model
        if get_model_class is not None and get_model_class() is concrete:
            return cast("type[SessionStore]", engine)
        from .backends.db import SessionStore

        return SessionStore

    def get_decoded(self) -> dict[str, Any]:
        """The data of the session; empty where it can't be decoded."""
        return self.get_session_store_class()().decode(self.session_data)

    @property
    def device_label(self) -> str:
        """The device in a person's words, such as "Chrome on Windows"."""
        return devices.label(self.device_kind, self.browser, self.os)

    @property
    def place(self) -> str:
        """City and country, as far as they are known: "London, GB"."""
        return ", ".join(filter(None, (self.city, self.country)))

    def is_current(self, request: HttpRequest) -> bool:
        """Whether the request was made with this session."""
        return self.pk == cast("SessionStore", request.session).id

    @property
    def is_active(self) -> bool:
        """Whether a request with this session would be let in as it says.

        No longer once it has expired, its user was deactivated, or the
        password has changed since. Read with ``select_related("user")``.
        """
        return self.expire_date > timezone.now() and (
            self.user is None
            or (getattr(self.user, "is_active", True) and self._is_authentic(self.user))
        )

    def _is_authentic(self, user: AbstractBaseUser) -> bool:
        digests = auth_digests(user)
        return self.auth_digest in digests if digests else self.auth_digest is None

    def ends_with_browser(self) -> bool:
        """Whether the browser forgets the session when it closes.

        Takes the session's data, which must not be deferred for many rows.
        """
        store = self.get_session_store_class()()
        store._session_cache = self.get_decoded()  # type: ignore[attr-defined]
        return store.get_expire_at_browser_close()

    def rename(self, name: str) -> bool:
        """Give the session the name that its user wants for it.

        False where it has ended, or is another user's now.
        """
        using = router.db_for_write(type(self))
        rows = self.rows(using).filter(pk=self.pk, user=self.user_id)
        if not rows.update(name=name):
            return False
        self.name = name
        Write(using, partial(self.get_session_store_class().purge_facts, self))
        return True

    def revoke(
        self,
        *,
        by: AbstractBaseUser | None = None,
        reason: Reason | str = Reason.REVOKED,
    ) -> RevokedCount:
        """End this session; see ``SessionQuerySet.revoke``.

        0 where it has ended, or is another user's now.
        """
        rows = self.rows().filter(pk=self.pk, user=self.user_id)
        return rows.revoke(by=by, reason=reason)


class Session(AbstractSession):
    class Meta(AbstractSession.Meta):
        # Only these: sessions are made by signing in, and changed by nobody.
        default_permissions = ("view", "delete")
