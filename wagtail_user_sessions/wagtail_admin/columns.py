"""Columns of the listing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import Column, StatusTagColumn, TitleColumn
from wagtail.admin.ui.tables import UserColumn as BaseUserColumn

from wagtail_user_sessions.client.user_agent import DeviceKind
from wagtail_user_sessions.sessions.base import AbstractSession, current_session_id

from .status import Status, status_of

# Wagtail's own icons.
ICONS: dict[str, str] = {
    DeviceKind.DESKTOP: "desktop",
    DeviceKind.MOBILE: "mobile-alt",
    DeviceKind.TABLET: "tablet-alt",
    DeviceKind.BOT: "cogs",
    DeviceKind.UNKNOWN: "help",
}


class UserColumn(BaseUserColumn):
    """Avatar and name, with a link if the reader may edit the user."""

    cell_template_name = "wagtail_user_sessions/admin/user_cell.html"

    def __init__(self, *, get_url: Callable[[AbstractSession], str | None]) -> None:
        super().__init__(
            "user",
            label=_("User"),
            sort_key="user",
            blank_display_name=_("Signed-out visitor"),
        )
        self.get_url = get_url

    def get_cell_context_data(
        self, instance: AbstractSession, parent_context: Any
    ) -> dict[str, Any]:
        context: dict[str, Any] = super().get_cell_context_data(
            instance, parent_context
        )
        return context | {"url": self.get_url(instance)}


class DeviceColumn(TitleColumn):
    """Icon and label, with a link to the session's page, and the row's buttons."""

    cell_template_name = "wagtail_user_sessions/admin/device_cell.html"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("device", label=_("Device"), accessor=str, **kwargs)

    def get_cell_context_data(
        self, instance: AbstractSession, parent_context: Any
    ) -> dict[str, Any]:
        context: dict[str, Any] = super().get_cell_context_data(
            instance, parent_context
        )
        request = parent_context.get("request")
        return context | {
            "icon": ICONS.get(instance.device_kind, "help"),
            "kind": instance.get_device_kind_display(),
            "label": instance.device_label if instance.name else "",
            "is_current": instance.pk == current_session_id(request),
        }


class StatusColumn(StatusTagColumn):
    def __init__(self) -> None:
        super().__init__(
            "status",
            label=_("Status"),
            accessor=lambda row: status_of(row).label,
            primary=lambda row: status_of(row) == Status.ACTIVE,
        )


class ExpiryColumn(Column):
    """The date and time; Wagtail's `DateColumn` shows an age, for past dates only."""

    cell_template_name = "wagtail_user_sessions/admin/expiry_cell.html"
