"""What people have open in Wagtail's editor, and would lose by being signed out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from wagtail.admin.models import EditingSession
from wagtail.admin.utils import get_latest_str, get_user_display_name

# How many are named at most.
NAMED = 20


@dataclass(frozen=True)
class OpenEditor:
    user: AbstractBaseUser
    title: str

    @property
    def user_name(self) -> str:
        return str(get_user_display_name(self.user))


def open_editors(users: Iterable[Any]) -> list[OpenEditor]:
    """Who has what open, by Wagtail's own pings, each once.

    ``users`` are users, their keys, or a query of either.
    """
    sessions = (
        EditingSession.objects.available()
        .filter(user__in=users)
        .select_related("user")
        .order_by("-last_seen_at")[: NAMED * 2]
    )
    found: dict[tuple[Any, ...], OpenEditor] = {}
    for session in sessions:
        content = session.content_object
        if content is not None:
            key = (session.user_id, session.content_type_id, session.object_id)
            found.setdefault(key, OpenEditor(session.user, get_latest_str(content)))
    return list(found.values())[:NAMED]
