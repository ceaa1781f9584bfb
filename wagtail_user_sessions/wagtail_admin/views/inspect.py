"""The page of one session."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from wagtail.admin.utils import get_user_display_name
from wagtail.admin.widgets.button import Button, HeaderButton
from wagtail.snippets.views import snippets

from wagtail_user_sessions.sessions.base import AbstractSession, current_session_id
from wagtail_user_sessions.wagtail_admin import log_actions
from wagtail_user_sessions.wagtail_admin.permission_policies import (
    ForbiddenResponseMixin,
    request_user,
    visible_to,
)
from wagtail_user_sessions.wagtail_admin.status import status_of
from wagtail_user_sessions.wagtail_admin.time_zone import LocalTime, zone_name

FIELDS = (
    "user",
    "status",
    "name",
    "device_kind",
    "browser",
    "os",
    "place",
    "ip",
    "user_agent",
    "signed_in_at",
    "last_activity",
    "expire_date",
    "created_at",
    "id",
)
LABELS = {
    "status": _("Status"),
    "os": _("System"),
    "place": _("Place"),
    "id": _("Session"),
}
HISTORY_LENGTH = 20


class InspectView(ForbiddenResponseMixin, snippets.InspectView):
    any_permission_required = ("view",)
    template_name = "wagtail_user_sessions/admin/inspect.html"

    def get_object(self, queryset: Any = None) -> AbstractSession:
        rows = visible_to(request_user(self.request)).select_related("user")
        return get_object_or_404(rows, pk=self.pk)

    def get_field_label(self, field_name: str, field: Any) -> str:
        label = LABELS.get(field_name) or field.verbose_name
        return str(capfirst(label))

    def get_user_display_value(self) -> str:
        user = self.object.user
        return str(get_user_display_name(user) if user else _("Signed-out visitor"))

    def get_status_display_value(self) -> str:
        return str(status_of(self.object).label)

    def get_expire_date_display_value(self) -> Any:
        if self.object.ends_with_browser():
            return _("When the browser closes")
        return self.object.expire_date

    def get_field_display_value(self, field_name: str, field: Any) -> Any:
        value = super().get_field_display_value(field_name, field)
        if isinstance(value, datetime):
            return LocalTime(value)
        return "-" if value in {None, ""} else value

    @cached_property
    def header_buttons(self) -> list[Button]:
        url = self.get_delete_url()
        if not url:
            return []
        return [HeaderButton(_("Sign out"), url=url, icon_name="logout")]

    @cached_property
    def header_more_buttons(self) -> list[Button]:
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        history = log_actions.history(self.object)[:HISTORY_LENGTH]
        return context | {
            "is_current": self.object.pk == current_session_id(self.request),
            "data_keys": sorted(map(str, self.object.get_decoded())),
            # The stored text, in bytes.
            "data_size": len(self.object.session_data.encode()),
            "history": history,
            "zone": zone_name(),
        }
