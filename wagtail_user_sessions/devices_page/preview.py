"""Example devices for the preview of a page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from wagtail_user_sessions.client.user_agent import DeviceKind
from wagtail_user_sessions.models import Session

from .device_item import DeviceItem
from .device_list import DeviceList

# Time since the last activity, and columns of the row.
EXAMPLES: tuple[tuple[timedelta, dict[str, Any]], ...] = (
    (
        timedelta(),
        {
            "device_kind": DeviceKind.DESKTOP,
            "browser": "Firefox",
            "os": "Linux",
            "city": "London",
            "country": "GB",
            "ip": "192.0.2.10",
        },
    ),
    (
        timedelta(hours=5),
        {
            "device_kind": DeviceKind.MOBILE,
            "browser": "Safari",
            "os": "iOS",
            "city": "London",
            "country": "GB",
            "ip": "198.51.100.24",
        },
    ),
    (
        timedelta(days=3),
        {
            "device_kind": DeviceKind.TABLET,
            "browser": "Chrome",
            "os": "Android",
            "ip": "2001:db8::5",
        },
    ),
)


def preview_list() -> DeviceList:
    """Return a list of examples without actions.

    Their IP addresses are those reserved for documentation.
    """
    now = timezone.now()

    def to_item(since: timedelta, columns: dict[str, Any]) -> DeviceItem:
        row = Session(
            **columns,
            signed_in_at=now - since - timedelta(days=1),
            last_activity=now - since,
            expire_date=now + timedelta(days=13) - since,
        )
        return DeviceItem(session=row, now=now, is_current=not since)

    devices = tuple(to_item(since, columns) for since, columns in EXAMPLES)
    return DeviceList(devices=devices, count=len(devices), is_preview=True)
