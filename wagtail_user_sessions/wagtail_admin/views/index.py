"""The listing of sessions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.db.models.expressions import OrderBy
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from wagtail.admin.admin_url_finder import AdminURLFinder
from wagtail.admin.ui.menus import MenuItem
from wagtail.admin.ui.tables import (
    BaseColumn,
    BulkActionsCheckboxColumn,
    Column,
    DateColumn,
)
from wagtail.admin.widgets.button import Button
from wagtail.snippets.views import snippets

from wagtail_user_sessions.sessions.base import AbstractSession, SessionQuerySet
from wagtail_user_sessions.sql.address_order import by_address
from wagtail_user_sessions.wagtail_admin import charts
from wagtail_user_sessions.wagtail_admin.columns import (
    DeviceColumn,
    ExpiryColumn,
    StatusColumn,
    UserColumn,
)
from wagtail_user_sessions.wagtail_admin.filters import SessionFilterSet
from wagtail_user_sessions.wagtail_admin.paginator import CappedPaginator
from wagtail_user_sessions.wagtail_admin.permission_policies import (
    ForbiddenResponseMixin,
    is_superuser,
    request_user,
    visible_to,
)
from wagtail_user_sessions.wagtail_admin.search import search
from wagtail_user_sessions.wagtail_admin.status import Status

from .export import Export

NEWEST_FIRST = "-signed_in_at"
# Visitors' rows have no sign-in time, and expired rows are looked up by expiry.
LAST_TO_EXPIRE_FIRST = "-expire_date"


class IndexView(ForbiddenResponseMixin, Export, snippets.IndexView):
    any_permission_required = ("view",)
    paginator_class = CappedPaginator
    filterset_class = SessionFilterSet
    is_searchable = True
    revoke_user_url_name = ""
    revoke_everybody_url_name = ""

    # Rows

    def get_base_queryset(self) -> SessionQuerySet:
        return visible_to(request_user(self.request))

    @cached_property
    def default_ordering(self) -> str:
        status = self.request.GET.get("status", Status.ACTIVE)
        is_unexpired = status in {Status.ACTIVE, Status.REFUSED}
        return NEWEST_FIRST if is_unexpired else LAST_TO_EXPIRE_FIRST

    def order_queryset(self, queryset: SessionQuerySet) -> SessionQuerySet:
        direction, column = self.ordering.rpartition("-")[1:]
        if column == "user":
            column = f"user__{get_user_model().USERNAME_FIELD}"
        order: OrderBy | str = f"{direction}{column}"
        if column == "ip":
            order = by_address(column, descending=bool(direction))
        return queryset.order_by(order, f"{direction}pk")

    def search_queryset(self, queryset: SessionQuerySet) -> SessionQuerySet:
        return search(queryset, self.search_query) if self.is_searching else queryset

    @cached_property
    def columns(self) -> list[BaseColumn]:
        title_column = self._get_title_column_class(DeviceColumn)
        selection = BulkActionsCheckboxColumn("bulk_actions", obj_type="snippet")
        return [
            *([selection] if self.user_has_permission("delete") else []),
            UserColumn(get_url=self._get_user_url),
            title_column(
                get_url=self.get_inspect_url,
                get_title_id=lambda row: f"snippet_{quote(row.pk)}_title",
            ),
            Column("place", label=_("Place")),
            Column("ip", label=_("IP address"), sort_key="ip"),
            StatusColumn(),
            DateColumn(
                "last_activity", label=_("Last activity"), sort_key="last_activity"
            ),
            DateColumn("signed_in_at", label=_("Signed in"), sort_key="signed_in_at"),
            ExpiryColumn("expire_date", label=_("Expires"), sort_key="expire_date"),
        ]

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        context["can_revoke"] = self.user_has_permission("delete")
        if context["paginator"] is not None:
            context["charts"] = self._charts(context["paginator"])
        return context

    def _charts(self, paginator: CappedPaginator) -> list[charts.Chart]:
        """Return the charts of active sessions; none for other listings."""
        filters = self.filters
        if (
            not filters.is_valid()
            or filters.form.cleaned_data["status"] != Status.ACTIVE
        ):
            return []
        rows = paginator.first_rows
        if paginator.is_capped and self.ordering != NEWEST_FIRST:
            # The first rows by another column don't represent all sessions.
            newest = paginator.object_list.order_by(NEWEST_FIRST)
            rows = CappedPaginator(newest, paginator.per_page).first_rows
        return charts.build_charts(columns for _pk, *columns in rows) if rows else []

    # Actions

    def get_list_more_buttons(self, instance: AbstractSession) -> list[MenuItem]:
        items = [
            MenuItem(
                _("Inspect"),
                self.get_inspect_url(instance),
                icon_name="info-circle",
                priority=10,
            )
        ]
        if self.get_delete_url(instance):
            items.append(
                MenuItem(
                    _("Sign out"),
                    self._with_next(self.get_delete_url(instance)),
                    icon_name="logout",
                    priority=20,
                )
            )
        if instance.user_id is not None:
            items.extend(self._user_items(instance))
        return items

    def _user_items(self, instance: AbstractSession) -> Iterator[MenuItem]:
        query = urlencode({"user": str(instance.user_id)})
        yield MenuItem(
            _("All sessions of this user"),
            f"{self.index_url}?{query}",
            icon_name="list-ul",
            priority=30,
        )
        if self.user_has_permission("delete"):
            url = reverse(
                self.revoke_user_url_name, args=[quote(cast(Any, instance.user_id))]
            )
            yield MenuItem(
                _("Sign out everywhere"),
                self._with_next(url),
                icon_name="warning",
                priority=40,
            )

    @cached_property
    def header_more_buttons(self) -> list[Button]:
        buttons: list[Button] = super().header_more_buttons
        if is_superuser(request_user(self.request)):
            buttons.append(
                Button(
                    _("Sign out everybody"),
                    url=reverse(self.revoke_everybody_url_name),
                    icon_name="warning",
                    priority=200,
                )
            )
        return buttons

    def _with_next(self, url: str) -> str:
        query = self.request.GET.urlencode()
        here = f"{self.index_url}?{query}" if query else self.index_url
        return f"{url}?{urlencode({'next': here})}"

    def _get_user_url(self, instance: AbstractSession) -> str | None:
        if instance.user is None:
            return None
        url: str | None = self._url_finder.get_edit_url(instance.user)
        return url

    @cached_property
    def _url_finder(self) -> AdminURLFinder:
        return AdminURLFinder(request_user(self.request))
