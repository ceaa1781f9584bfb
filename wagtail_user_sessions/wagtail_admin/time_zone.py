"""The time zone of the viewer: Wagtail activates the one in the user's profile."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from django.conf import settings
from django.utils import timezone
from wagtail.admin.ui.components import Component


def zone_name() -> str:
    return (
        timezone.get_current_timezone_name() if settings.USE_TZ else settings.TIME_ZONE
    )


def zone() -> tzinfo | None:
    """Return the zone to convert to; ``None``: naive times stay as they are stored."""
    return timezone.get_current_timezone() if settings.USE_TZ else None


def local(value: datetime) -> datetime:
    """Return the time in the viewer's zone; a naive one as it is."""
    return value if timezone.is_naive(value) else value.astimezone(zone())


class LocalTime(Component):
    """A date and time that the template engine converts, as in the listing.

    Wagtail's page of a snippet writes a plain value as it was read, which is in UTC.
    """

    template_name = "wagtail_user_sessions/admin/local_time.html"

    def __init__(self, value: datetime) -> None:
        self.value = value

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        return {"value": self.value, "zone": zone_name()}
