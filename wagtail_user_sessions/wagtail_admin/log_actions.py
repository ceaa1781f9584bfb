"""What stands in Wagtail's log: who signed whom out, on which device, and why."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any, cast

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

from wagtail_user_sessions import facts
from wagtail_user_sessions.devices import label
from wagtail_user_sessions.models import AbstractSession
from wagtail_user_sessions.revocation import Ending, Reason, current
from wagtail_user_sessions.writes import Write

logger = logging.getLogger(__name__)

REVOKE = "wagtail_user_sessions.revoke"
REVOKE_EVERYBODY = "wagtail_user_sessions.revoke_everybody"
# What names a device.
DEVICE = ("device_kind", "browser", "os")
# Ends of a session that nobody decides on.
ORDINARY = frozenset(Reason) - {Reason.REVOKED}


def register(actions: LogActionRegistry) -> None:
    actions.register_action(REVOKE)(RevokeFormatter)
    actions.register_action(REVOKE_EVERYBODY)(RevokeEverybodyFormatter)


class RevokeFormatter(LogFormatter):
    label = gettext_lazy("Sign out")

    def format_message(self, log_entry: BaseLogEntry) -> str:
        data = log_entry.data
        text = _("Signed out %(device)s of %(user)s: %(reason)s")
        if not data.get("user_id"):
            text = _("Ended the session of a visitor on %(device)s: %(reason)s")
        return text % {
            # In the language of who reads it.
            "device": label(*(data.get(name, "") for name in DEVICE)),
            "user": data.get("user"),
            "reason": _in_words(data.get("reason", "")),
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
        reason = _in_words(log_entry.data.get("reason", ""))
        return text % {"count": count, "reason": reason}


def session_deleted(
    sender: type[AbstractSession],
    instance: AbstractSession,
    using: str,
    **kwargs: Any,
) -> None:
    """Log that somebody has ended a session, once that has committed.

    What ends by itself, by the commands, or by signing out is not logged.
    """
    ending = current()
    if ending.actor is None or ending.reason is None or ending.reason in ORDINARY:
        return
    # The deletion takes the primary key from the instance.
    ending.untold.append(facts.twin(instance))
    Write(using, partial(_log_untold, ending))


def log_everybody(request: HttpRequest, *, count: int, reason: Reason | str) -> None:
    log(
        request.user,
        REVOKE_EVERYBODY,
        user=request.user,
        title=_("Everybody"),
        data={"count": count, "reason": str(reason)},
    )


def history(row: AbstractSession) -> models.QuerySet[BaseLogEntry]:
    """What has been done with the session, and with others of its user."""
    entries = _log_model(type(row)).objects.filter(
        content_type=_content_type(type(row)), action=REVOKE
    )
    condition = Q(object_id=str(row.pk))
    if row.user_id is not None:
        condition |= Q(data__user_id=str(row.user_id))
    found: models.QuerySet[BaseLogEntry] = entries.filter(condition)
    return found.select_related("user").order_by("-timestamp")


def _log_untold(ending: Ending) -> None:
    """One entry a session, all at once."""
    rows = cast("list[AbstractSession]", ending.untold)
    ending.untold = []
    if not rows:
        return
    try:
        users = _users_of(rows)
        entries = [_entry(row, users.get(row.user_id), ending) for row in rows]
        _log_model(type(rows[0])).objects.bulk_create(entries, batch_size=500)
    except DatabaseError:
        # They have ended, and whoever ended them is to be told so.
        logger.exception("%d ended sessions could not be logged", len(rows))


def _users_of(rows: list[AbstractSession]) -> dict[Any, AbstractBaseUser]:
    ids = {row.user_id for row in rows if row.user_id is not None}
    users: models.QuerySet[Any] = get_user_model()._default_manager.all()
    return users.in_bulk(ids) if ids else {}


def _entry(
    row: AbstractSession, user: AbstractBaseUser | None, ending: Ending
) -> BaseLogEntry:
    name = "" if user is None else str(get_user_display_name(user))
    # Without a UUID, by which Wagtail would show only one of several entries.
    return _log_model(type(row))(
        content_type=_content_type(type(row)),
        object_id=str(row.pk),
        label=f"{name}: {row}" if name else str(row),
        action=REVOKE,
        timestamp=timezone.now(),
        user=ending.actor,
        deleted=True,
        data={
            "user_id": None if row.user_id is None else str(row.user_id),
            "user": name,
            **{name: getattr(row, name) for name in DEVICE},
            "reason": str(ending.reason),
        },
    )


def _log_model(model: type[AbstractSession]) -> type[BaseLogEntry]:
    log_model: type[BaseLogEntry] = registry.get_log_model_for_model(model)
    return log_model


def _content_type(model: type[AbstractSession]) -> ContentType:
    return ContentType.objects.get_for_model(model, for_concrete_model=False)


def _in_words(reason: str) -> str:
    return str(Reason(reason).label) if reason in Reason.values else reason
