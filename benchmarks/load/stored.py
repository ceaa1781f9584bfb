"""The data of sessions in the database, without the cache."""

from __future__ import annotations

from typing import Any

from wagtail_user_sessions.models import Session


def stored(pk: str) -> dict[str, Any] | None:
    """Return the data of the session; ``None`` if it has ended."""
    row = Session.objects.filter(pk=pk).first()
    return None if row is None else row.get_decoded()
