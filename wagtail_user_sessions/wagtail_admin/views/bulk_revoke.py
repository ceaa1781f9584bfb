"""Bulk action: sign out the selected sessions, or all that the filters leave."""

from __future__ import annotations

import uuid
from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.functional import cached_property, classproperty
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from wagtail import hooks
from wagtail.admin.utils import get_valid_next_url_from_request
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.permission_policies import BasePermissionPolicy
from wagtail.snippets.bulk_actions.snippet_bulk_action import SnippetBulkAction

from wagtail_user_sessions.backends.engine import get_session_model
from wagtail_user_sessions.sessions.base import (
    REVOKE_BATCH_SIZE,
    AbstractSession,
    SessionQuerySet,
    current_session_id,
)
from wagtail_user_sessions.wagtail_admin.filters import filtered_sessions
from wagtail_user_sessions.wagtail_admin.forms import RevocationForm
from wagtail_user_sessions.wagtail_admin.links import url_of
from wagtail_user_sessions.wagtail_admin.messages import report
from wagtail_user_sessions.wagtail_admin.open_editors import open_editors
from wagtail_user_sessions.wagtail_admin.permission_policies import (
    ForbiddenResponseMixin,
    request_user,
    visible_to,
)

# The confirmation names at most so many sessions.
MAX_NAMED = 20


class RevokeBulkAction(
    ForbiddenResponseMixin, PermissionCheckedMixin, SnippetBulkAction
):
    """Replaces Wagtail's own bulk deletion, which ignores the filters."""

    display_name = _("Sign out")
    action_type = "delete"
    aria_label = _("Sign out the selected sessions")
    action_priority = 10
    classes = frozenset({"serious"})
    permission_required = "delete"
    form_class = RevocationForm
    template_name = "wagtail_user_sessions/admin/confirm_bulk_revoke.html"

    def __init__(self, request: HttpRequest, model: type[AbstractSession]) -> None:
        super().__init__(request, model)
        # Wagtail would fall back to the URL of this action, which needs rows.
        self.next_url = get_valid_next_url_from_request(request) or url_of("list")

    @classproperty
    def models(cls) -> list[type[AbstractSession]]:
        return [get_session_model()]

    @cached_property
    def permission_policy(self) -> BasePermissionPolicy:
        return self.model.snippet_viewset.permission_policy

    @cached_property
    def rows(self) -> SessionQuerySet:
        """The selected rows, without the request's own: its user stays signed in."""
        ids = self.request.GET.getlist("id")
        if "all" in ids:
            rows = filtered_sessions(self.request)
        else:
            rows = visible_to(request_user(self.request)).filter(pk__in=_uuids(ids))
            if not rows.exists():
                raise Http404
        return rows.exclude(pk__in=[current_session_id(self.request)])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        count = self.rows.count()
        question = ngettext(
            "Sign out %(count)d session?", "Sign out %(count)d sessions?", count
        )
        users = self.rows.filter(user__isnull=False).order_by().values("user")
        return {
            "form": self.get_form(),
            "view": self,
            "items": self._named(),
            "unnamed_count": max(0, count - MAX_NAMED),
            "count": count,
            "question": question % {"count": count},
            "confirm_label": _("Yes, sign out"),
            "cancel_url": self.next_url,
            "open_editors": open_editors(users),
            "page_title": self.display_name,
            "header_icon": "logout",
            "submit_url": f"{self.request.path}?{self.request.GET.urlencode()}",
            **kwargs,
        }

    def _named(self) -> SessionQuerySet:
        rows = self.rows.select_related("user").defer("session_data")
        return rows.order_by("-signed_in_at")[:MAX_NAMED]

    def form_valid(self, form: RevocationForm) -> HttpResponse:
        """Do as Wagtail's method, but without its transaction around all rows.

        The transaction would lock each row until the last one is deleted.
        """
        before, after = map(
            hooks.get_hooks, ("before_bulk_action", "after_bulk_action")
        )
        objects = list(self.rows.defer("session_data")) if before or after else []
        response = self._call_hooks(before, objects)
        if response is not None:
            return response
        by, reason = request_user(self.request), form.reason_given
        count = self.rows.revoke(by=by, reason=reason, batch_size=REVOKE_BATCH_SIZE)
        report(self.request, count, cache_failed=count.cache_failed)
        return self._call_hooks(after, objects) or redirect(self.next_url)

    def _call_hooks(
        self, functions: list[Any], objects: list[AbstractSession]
    ) -> HttpResponse | None:
        """Call the hooks until one of them returns a response; return that."""
        for function in functions:
            result = function(self.request, self.action_type, objects, self)
            if isinstance(result, HttpResponseBase):
                return cast(HttpResponse, result)
        return None


def _uuids(texts: list[str]) -> list[uuid.UUID]:
    found = []
    for text in texts:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found
