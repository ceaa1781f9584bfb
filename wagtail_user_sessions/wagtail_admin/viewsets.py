"""Sessions as a snippet that can be viewed and signed out, but not added or changed."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.db import models
from django.urls import URLPattern, path
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail.permission_policies import BasePermissionPolicy
from wagtail.snippets.views.snippets import SnippetAdminURLFinder, SnippetViewSet

from wagtail_user_sessions.backends.engine import get_session_model
from wagtail_user_sessions.sessions.base import AbstractSession

from .permission_policies import ACTIONS, SessionPermissionPolicy
from .views.index import IndexView
from .views.inspect import FIELDS, InspectView
from .views.revoke import RevokeEverybodyView, RevokeUserView, RevokeView


class SessionURLFinder(SnippetAdminURLFinder):
    """Finds the page that shows a session, because no page edits one."""

    def get_edit_url(self, instance: AbstractSession) -> str | None:
        policy = SessionPermissionPolicy(type(instance))
        if self.user and not policy.user_has_permission_for_instance(
            self.user, "view", instance
        ):
            return None
        url: str = self.construct_edit_url(instance)
        return url


class SessionViewSet(SnippetViewSet):
    icon = "key"
    menu_label = _("Sessions")
    menu_name = "user_sessions"
    menu_order = 601
    add_to_settings_menu = True
    add_to_reference_index = False
    copy_view_enabled = False
    inspect_view_enabled = True
    inspect_view_fields = FIELDS

    index_view_class = IndexView
    delete_view_class = RevokeView
    inspect_view_class = InspectView

    index_template_name = "wagtail_user_sessions/admin/index.html"
    index_results_template_name = "wagtail_user_sessions/admin/index_results.html"
    delete_template_name = "wagtail_user_sessions/admin/confirm_revoke.html"
    inspect_template_name = "wagtail_user_sessions/admin/inspect.html"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(model=get_session_model(), **kwargs)

    @cached_property
    def permission_policy(self) -> BasePermissionPolicy:
        return SessionPermissionPolicy(self.model)

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        # These pages don't exist.
        absent = ("add", "copy", "edit", "usage", "history")
        common: dict[str, Any] = super().get_common_view_kwargs(
            **{f"{name}_url_name": None for name in absent},
            revoke_user_url_name=self.get_url_name("revoke_user"),
            revoke_everybody_url_name=self.get_url_name("revoke_everybody"),
            **kwargs,
        )
        return common

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("", self.index_view, name="list"),
            path("results/", self.index_results_view, name="list_results"),
            path("inspect/<uuid:pk>/", self.inspect_view, name="inspect"),
            path("sign-out/<uuid:pk>/", self.delete_view, name="delete"),
            path(
                "sign-out/user/<str:user_id>/",
                self.construct_view(RevokeUserView),
                name="revoke_user",
            ),
            path(
                "sign-out/everybody/",
                self.construct_view(RevokeEverybodyView),
                name="revoke_everybody",
            ),
        ]

    def register_chooser_viewset(self) -> None:
        """Register none: content never refers to a session."""

    def get_permissions_to_register(self) -> models.QuerySet[Permission]:
        codenames = [
            f"{action}_{self.model._meta.model_name}" for action in sorted(ACTIONS)
        ]
        registered: models.QuerySet[Permission] = super().get_permissions_to_register()
        return registered.filter(codename__in=codenames)

    @property
    def url_finder_class(self) -> type[SessionURLFinder]:
        return type(
            "SessionURLFinder",
            (SessionURLFinder,),
            {"model": self.model, "edit_url_name": self.get_url_name("inspect")},
        )
