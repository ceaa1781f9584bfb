"""Whether a session would be let in, as the admin calls it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from wagtail_user_sessions.sessions.base import AbstractSession, SessionQuerySet


class Status(models.TextChoices):
    ACTIVE = "active", pgettext_lazy("session", "Active")
    EXPIRED = "expired", pgettext_lazy("session", "Expired")
    # The user was deactivated, or has changed the password since.
    REFUSED = "refused", pgettext_lazy("session", "Refused")
    VISITOR = "visitor", _("Signed-out visitor")


def status_of(row: AbstractSession) -> Status:
    """The status of a row that was read with its user."""
    if row.user_id is None:
        return Status.VISITOR
    if row.expire_date <= timezone.now():
        return Status.EXPIRED
    return Status.ACTIVE if row.is_active else Status.REFUSED


def having(rows: SessionQuerySet, status: str) -> SessionQuerySet:
    """The rows of that status, as far as the database can tell.

    It can't tell whose password has changed since: the row itself can.
    """
    if status == Status.VISITOR:
        return rows.filter(user=None)
    # Visitors' rows have no date of a sign-in, and would be gone through first.
    rows = rows.filter(user__isnull=False, signed_in_at__isnull=False)
    if status == Status.EXPIRED:
        return rows.expired()
    is_inactive = models.Exists(_inactive_users().filter(pk=models.OuterRef("user")))
    if status == Status.REFUSED:
        return rows.active().filter(is_inactive)
    return rows.active().filter(~is_inactive)


def _inactive_users() -> models.QuerySet[Any]:
    users = get_user_model()._base_manager.all()
    try:
        get_user_model()._meta.get_field("is_active")
    except FieldDoesNotExist:
        return users.none()
    return users.filter(is_active=False)
