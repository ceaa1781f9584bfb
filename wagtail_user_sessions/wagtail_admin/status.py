"""The status of a session in the admin: whether the next request is admitted."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from wagtail_user_sessions.sessions.admission import is_unexpired, of_inactive_user
from wagtail_user_sessions.sessions.base import AbstractSession, SessionQuerySet


class Status(models.TextChoices):
    ACTIVE = "active", pgettext_lazy("session", "Active")
    EXPIRED = "expired", pgettext_lazy("session", "Expired")
    # The user was deactivated, or has changed the password since.
    REFUSED = "refused", pgettext_lazy("session", "Refused")
    VISITOR = "visitor", _("Signed-out visitor")


def status_of(row: AbstractSession) -> Status:
    """Return the status of a row that was read with its user."""
    if row.user_id is None:
        return Status.VISITOR
    if not is_unexpired(row, now=timezone.now()):
        return Status.EXPIRED
    return Status.ACTIVE if row.is_active else Status.REFUSED


def filter_by_status(rows: SessionQuerySet, status: str) -> SessionQuerySet:
    """Return the rows of that status, as far as SQL can decide.

    A changed password shows only in ``status_of(row)``: rows that it has ended count
    as active here.
    """
    if status == Status.VISITOR:
        return rows.filter(user=None)
    # Visitors' rows have no sign-in time. Without this condition the database would
    # read them all before the first row of a user.
    rows = rows.filter(user__isnull=False, signed_in_at__isnull=False)
    if status == Status.EXPIRED:
        return rows.expired()
    if status == Status.REFUSED:
        return rows.active().filter(of_inactive_user())
    return rows.active().filter(~of_inactive_user())
