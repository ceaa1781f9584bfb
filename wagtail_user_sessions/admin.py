"""Sessions in Django's own admin: a list, and actions that sign sessions out."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, auth, messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models, router
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, ngettext

from .backends.engine import get_session_model
from .sessions.base import (
    REVOKE_BATCH_SIZE,
    AbstractSession,
    SessionQuerySet,
    current_session_id,
)
from .sql.address_order import by_address

FIELDS = (
    "user",
    "name",
    "device_kind",
    "browser",
    "os",
    "city",
    "country",
    "ip",
    "user_agent",
    "signed_in_at",
    "last_activity",
    "expire_date",
    "created_at",
)


@admin.register(get_session_model())
class SessionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows neither the key nor the data of a session.

    Only superusers see superusers' sessions and can sign them out.
    """

    list_display = (
        "__str__",
        "user",
        "place",
        "ip_address",
        "last_activity",
        "signed_in_at",
        "expire_date",
    )
    list_filter = ("device_kind", "signed_in_at")
    list_select_related = ("user",)
    ordering = ("-signed_in_at",)
    show_full_result_count = False
    fields = FIELDS
    readonly_fields = FIELDS
    actions = ("sign_out_users",)

    @admin.display(description=gettext_lazy("IP address"), ordering=by_address("ip"))
    def ip_address(self, row: AbstractSession) -> str | None:
        return row.ip

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        user = auth.get_user_model()
        names = (user.USERNAME_FIELD, user.get_email_field_name())
        own = {field.name for field in user._meta.concrete_fields}
        return [*(f"user__{name}" for name in names if name in own), "ip"]

    def get_queryset(self, request: HttpRequest) -> SessionQuerySet:
        using = router.db_for_write(self.model)
        rows = self.model.rows(using).without_marker().defer("session_data")
        if not getattr(_actor(request), "is_superuser", False):
            superusers = auth.get_user_model()._base_manager
            rows = rows.exclude(user__in=superusers.filter(is_superuser=True))
        ordered: SessionQuerySet = rows.order_by(*self.ordering)
        return ordered

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Staff choose on the list the sessions that they delete.
        return super().has_view_permission(request, obj) or (
            self.has_delete_permission(request, obj)
        )

    def delete_model(self, request: HttpRequest, obj: AbstractSession) -> None:
        if obj.pk == current_session_id(request):
            auth.logout(request)
        else:
            obj.revoke(by=_actor(request))

    def delete_queryset(
        self, request: HttpRequest, queryset: models.QuerySet[AbstractSession]
    ) -> None:
        is_own_among_them = queryset.filter(
            pk__in=[current_session_id(request)]
        ).exists()
        _others(request, queryset).revoke(
            by=_actor(request), batch_size=REVOKE_BATCH_SIZE
        )
        if is_own_among_them:
            auth.logout(request)

    @admin.action(
        description=gettext_lazy("Sign out the users of these sessions everywhere"),
        permissions=["delete"],
    )
    def sign_out_users(
        self, request: HttpRequest, queryset: models.QuerySet[AbstractSession]
    ) -> None:
        users = queryset.order_by().exclude(user=None).values_list("user", flat=True)
        rows = self.get_queryset(request).filter(user__in=list(users))
        count = _others(request, rows).revoke(
            by=_actor(request), batch_size=REVOKE_BATCH_SIZE
        )
        text = ngettext(
            "%(count)d session was signed out.",
            "%(count)d sessions were signed out.",
            count,
        )
        self.message_user(request, text % {"count": count}, messages.SUCCESS)


def _others(
    request: HttpRequest, rows: models.QuerySet[AbstractSession]
) -> SessionQuerySet:
    """Return the rows without the request's own session."""
    others = rows.order_by().exclude(pk__in=[current_session_id(request)])
    return cast(SessionQuerySet, others)


def _actor(request: HttpRequest) -> AbstractBaseUser | None:
    user = getattr(request, "user", None)
    return user if isinstance(user, AbstractBaseUser) else None
