"""Entries in Wagtail's log: actor, user, device and reason of a sign-out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, models
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin.utils import get_user_display_name
from wagtail.log_actions import LogActionRegistry, LogFormatter, log, registry
from wagtail.models import BaseLogEntry

from wagtail_user_sessions.client.user_agent import device_label
from wagtail_user_sessions.sessions.base import AbstractSession
from wagtail_user_sessions.sessions.reasons import EndContext, Reason

from .permission_policies import is_superuser, request_user

logger = logging.getLogger(__name__)

REVOKE = "wagtail_user_sessions.revoke"
REVOKE_EVERYBODY = "wagtail_user_sessions.revoke_everybody"
# The client columns that name a device.
DEVICE_COLUMNS = ("device_kind", "browser", "os")
# End reasons without a decision of an administrator; their events aren't logged.
NOT_LOGGED = frozenset(Reason) - {Reason.REVOKED}


def register(actions: LogActionRegistry) -> None:
    actions.register_action(REVOKE)(RevokeFormatter)
    actions.register_action(REVOKE_EVERYBODY)(RevokeEverybodyFormatter)


class RevokeFormatter(LogFormatter):
    label = gettext_lazy("Sign out")

    def format_message(self, log_entry: BaseLogEntry) -> str:
        data = log_entry.data
        text = _("Signed out %(device)s of %(user)s: %(reason)s")
        if DEVICE_COLUMNS[0] not in data:
            text = _("Signed out a session of %(user)s: %(reason)s")
        elif not data.get("user_id"):
            text = _("Ended the session of a visitor on %(device)s: %(reason)s")
        return text % {
            # Made now, in the language of the reader.
            "device": device_label(*(data.get(name, "") for name in DEVICE_COLUMNS)),
            "user": data.get("user"),
            "reason": _reason_label(data.get("reason", "")),
        }


class RevokeEverybodyFormatter(LogFormatter):
    label = gettext_lazy("Sign out everybody")

    def format_message(self, log_entry: BaseLogEntry) -> str:
        count = log_entry.data.get("count", 0)
        text = ngettext(
            "Signed out %(count)d session of all users: %(reason)s",
            "Signed out %(count)d sessions of all users: %(reason)s",
            count,
        )
        reason = _reason_label(log_entry.data.get("reason", ""))
        return text % {"count": count, "reason": reason}


def sessions_ended(
    sender: type[AbstractSession],
    rows: Sequence[AbstractSession],
    context: EndContext,
    **kwargs: Any,
) -> None:
    """Log sessions that a user has revoked: one entry each, by one query.

    Sessions that expired or were signed out by their own user, and those that a
    command deleted, are not logged. A batch has one entry for all; see
    ``log_everybody()``.
    """
    if context.is_batch or context.reason is None or context.reason in NOT_LOGGED:
        return
    try:
        users = _users_of(rows)
        entries = [_entry(row, users.get(row.user_id), context) for row in rows]
        _log_model(sender).objects.bulk_create(entries, batch_size=500)
    except DatabaseError:
        # The sessions have ended; the actor must see that, and not an error.
        logger.exception("%d ended sessions could not be logged", len(rows))


def log_everybody(request: HttpRequest, *, count: int, reason: Reason | str) -> None:
    """Log with one entry that everybody was signed out."""
    actor = request_user(request)
    try:
        log(
            actor,
            REVOKE_EVERYBODY,
            user=actor,
            title=_("Everybody"),
            data={"count": count, "reason": str(reason)},
        )
    except DatabaseError:
        logger.exception("%d ended sessions could not be logged", count)


def history(row: AbstractSession) -> models.QuerySet[BaseLogEntry]:
    """Return the log entries of the session and of its user, newest first."""
    sessions = Q(content_type=_content_type(type(row)), object_id=str(row.pk))
    if row.user_id is not None:
        of_user = {"data__user_id": str(row.user_id)}
        sessions |= Q(content_type=_content_type(type(row)), **of_user)
        sessions |= Q(
            content_type=_content_type(get_user_model()), object_id=str(row.user_id)
        )
    entries: models.QuerySet[BaseLogEntry] = _log_model(type(row)).objects.all()
    entries = entries.filter(sessions, action=REVOKE)
    return entries.select_related("user").order_by("-timestamp")


def _users_of(rows: Sequence[AbstractSession]) -> dict[Any, AbstractBaseUser]:
    ids = {row.user_id for row in rows if row.user_id is not None}
    users: models.QuerySet[Any] = get_user_model()._base_manager.all()
    return users.in_bulk(ids) if ids else {}


def _entry(
    row: AbstractSession, user: AbstractBaseUser | None, context: EndContext
) -> BaseLogEntry:
    """Return an entry about the session, or about its user if that is a superuser.

    A user who may see sessions sees their log as well, but must not see a superuser's
    sessions.
    """
    name = "" if user is None else str(get_user_display_name(user))
    is_hidden = user is not None and is_superuser(user)
    device = {} if is_hidden else {name: getattr(row, name) for name in DEVICE_COLUMNS}
    about = user if is_hidden and user is not None else row
    # It has no `uuid`: of several entries with one UUID Wagtail would show only one.
    return _log_model(type(row))(
        content_type=_content_type(type(about)),
        object_id=str(about.pk),
        label=name if is_hidden else ": ".join(filter(None, (name, str(row)))),
        action=REVOKE,
        timestamp=timezone.now(),
        user=context.actor,
        deleted=not is_hidden,
        data={
            "user_id": None if row.user_id is None else str(row.user_id),
            "user": name,
            **device,
            "reason": str(context.reason),
        },
    )


def _log_model(model: type[AbstractSession]) -> type[BaseLogEntry]:
    log_model: type[BaseLogEntry] = registry.get_log_model_for_model(model)
    return log_model


def _content_type(model: type[models.Model]) -> ContentType:
    return ContentType.objects.get_for_model(model, for_concrete_model=False)


def _reason_label(reason: str) -> str:
    return str(Reason(reason).label) if reason in Reason.values else reason
