"""The number of active sessions on the admin's home page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from wagtail.admin.site_summary import SummaryItem

from . import paginator
from .links import has_permission, url_of
from .permission_policies import request_user, visible_to
from .status import Status, filter_by_status


class SessionsSummaryItem(SummaryItem):
    order = 400
    template_name = "wagtail_user_sessions/admin/summary.html"

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        rows = filter_by_status(
            visible_to(request_user(self.request)), Status.ACTIVE
        ).order_by()
        # The count stops there, so that the page is as fast on a large site.
        count = rows[: paginator.MAX_ROWS + 1].count()
        return {
            "count": count,
            "count_text": paginator.capped(count),
            "url": url_of("list"),
        }

    def is_shown(self) -> bool:
        return has_permission(request_user(self.request), "view")


def add_item(request: HttpRequest, items: list[SummaryItem]) -> None:
    items.append(SessionsSummaryItem(request))
