"""Pages that users have open in Wagtail's editor.

A user who is signed out may lose changes that aren't saved.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from wagtail.admin.models import EditingSession
from wagtail.admin.utils import get_latest_str, get_user_display_name

MAX_EDITORS = 20


@dataclass(frozen=True)
class OpenEditor:
    user: AbstractBaseUser
    title: str

    @property
    def user_name(self) -> str:
        return str(get_user_display_name(self.user))


def open_editors(users: Iterable[Any]) -> list[OpenEditor]:
    """Return what the users have open now, the latest first, each object once a user.

    The source is Wagtail's own table, which open editors keep up to date by pings.
    ``users`` are users, their primary keys, or a query set of either. At most
    ``MAX_EDITORS`` are returned.
    """
    sessions = (
        EditingSession.objects.available()
        .filter(user__in=users)
        .select_related("user")
        .order_by("-last_seen_at")[: MAX_EDITORS * 2]
    )
    found: dict[tuple[Any, ...], OpenEditor] = {}
    for session in sessions:
        content = session.content_object
        if content is not None:
            key = (session.user_id, session.content_type_id, session.object_id)
            found.setdefault(key, OpenEditor(session.user, get_latest_str(content)))
    return list(found.values())[:MAX_EDITORS]
