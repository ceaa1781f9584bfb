"""Views that sign sessions out: one, a user's, and everybody's."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import auth
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import FormView
from wagtail.admin import messages
from wagtail.admin.utils import get_user_display_name, get_valid_next_url_from_request
from wagtail.admin.views.generic import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.snippets.views import snippets

from wagtail_user_sessions.backends.engine import get_engine
from wagtail_user_sessions.sessions.base import (
    REVOKE_BATCH_SIZE,
    AbstractSession,
    SessionQuerySet,
    current_session_id,
)
from wagtail_user_sessions.sessions.mass_deletion import MassRevocation
from wagtail_user_sessions.wagtail_admin.filters import user_id_from
from wagtail_user_sessions.wagtail_admin.forms import EverybodyForm, RevocationForm
from wagtail_user_sessions.wagtail_admin.log_actions import log_everybody
from wagtail_user_sessions.wagtail_admin.messages import report
from wagtail_user_sessions.wagtail_admin.open_editors import OpenEditor, open_editors
from wagtail_user_sessions.wagtail_admin.permission_policies import (
    ForbiddenResponseMixin,
    all_rows,
    is_superuser,
    manageable_users,
    request_user,
    visible_to,
)


class RevokeMixin(
    ForbiddenResponseMixin, PermissionCheckedMixin, WagtailAdminTemplateMixin
):
    """Base of the views that show a confirmation, and then sign out."""

    permission_required = "delete"
    # Not DELETE: Django's `delete()` would skip the form and `revoke()`.
    http_method_names: Any = ("get", "head", "post", "options")
    form_class: Any = RevocationForm
    template_name: Any = "wagtail_user_sessions/admin/confirm_revoke.html"
    header_icon = "logout"
    model: type[AbstractSession] | None = None
    index_url_name = ""
    question = ""
    confirm_label = gettext_lazy("Yes, sign out")

    def get_breadcrumbs_items(self) -> list[Any]:
        return []

    def get_success_url(self) -> str:
        next_url: str = get_valid_next_url_from_request(self.request)
        return next_url or reverse(self.index_url_name)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {
            "question": self.question,
            "confirm_label": self.confirm_label,
            "cancel_url": self.get_success_url(),
            "open_editors": self.open_editors,
            "own_session_is_spared": self.own_session_is_spared,
            "is_empty": self.is_empty,
        }

    @cached_property
    def open_editors(self) -> Sequence[OpenEditor]:
        return ()

    @property
    def own_session_is_spared(self) -> bool:
        return False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to sign out."""
        return False


class RevokeView(RevokeMixin, snippets.DeleteView):
    """Sign out one session."""

    page_title = gettext_lazy("Sign out")

    object: AbstractSession

    def get_object(self, queryset: Any = None) -> AbstractSession:
        loaded: AbstractSession | None = getattr(self, "object", None)
        if loaded is not None:
            return loaded
        rows = visible_to(request_user(self.request)).select_related("user")
        return get_object_or_404(rows.defer("session_data"), pk=self.kwargs["pk"])

    @property
    def is_own(self) -> bool:
        return self.object.pk == current_session_id(self.request)

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        if self.is_own:
            # Users who sign themselves out give no reason, and Wagtail's log has no
            # entry of it.
            del form.fields["reason"]
        return form

    @property
    def question(self) -> str:  # type: ignore[override]
        if self.is_own:
            return _("This is your own session. You will have to sign in again.")
        if self.object.user is None:
            text = _("End the session of a visitor on %(device)s?")
            return text % {"device": self.object.device_label}
        return _("Sign out %(device)s of %(user)s?") % {
            "device": self.object,
            "user": get_user_display_name(self.object.user),
        }

    @cached_property
    def open_editors(self) -> Sequence[OpenEditor]:
        return open_editors([self.object.user_id]) if self.object.user_id else ()

    def form_valid(self, form: RevocationForm) -> HttpResponse:
        request = self.request
        if self.is_own:
            auth.logout(request)
            return redirect("wagtailadmin_login")
        name, success_url = str(self.object), self.get_success_url()
        count = self.object.revoke(by=request_user(request), reason=form.reason_given)
        if count:
            report(request, count, cache_failed=count.cache_failed)
        else:
            text = _("%(device)s was already signed out.") % {"device": name}
            messages.info(request, text)
        return self.run_after_hook() or HttpResponseRedirect(success_url)


class RevokeSeveralView(RevokeMixin, FormView):  # type: ignore[type-arg]
    """Signs out the rows that the subclass returns."""

    @property
    def rows(self) -> SessionQuerySet:
        raise NotImplementedError

    @cached_property
    def count(self) -> int:
        return self.rows.count()

    @property
    def is_empty(self) -> bool:
        return not self.count


class RevokeUserView(RevokeSeveralView):
    """Sign out all sessions of a user, except the request's own."""

    page_title = gettext_lazy("Sign out everywhere")
    confirm_label = gettext_lazy("Yes, sign out everywhere")

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        # Without the permission the answer is 403, whether the user exists or not.
        if self.user_has_permission("delete"):
            pk = user_id_from(unquote(kwargs["user_id"]))
            users = manageable_users(request_user(request))
            self.user: AbstractBaseUser = get_object_or_404(users, pk=pk)

    @property
    def rows(self) -> SessionQuerySet:
        # Expired rows aren't signed in; `clearsessions` deletes them.
        rows = all_rows().active().for_user(self.user)
        return rows.exclude(pk__in=[current_session_id(self.request)])

    def get_page_subtitle(self) -> str:
        return str(get_user_display_name(self.user))

    @property
    def question(self) -> str:  # type: ignore[override]
        text = ngettext(
            "Sign out %(count)d session of %(user)s?",
            "Sign out %(count)d sessions of %(user)s?",
            self.count,
        )
        return text % {"count": self.count, "user": self.get_page_subtitle()}

    @cached_property
    def open_editors(self) -> Sequence[OpenEditor]:
        return open_editors([self.user.pk])

    @property
    def own_session_is_spared(self) -> bool:
        return bool(self.user.pk == request_user(self.request).pk)

    def form_valid(self, form: RevocationForm) -> HttpResponse:
        request = self.request
        count = self.rows.revoke(
            by=request_user(request),
            reason=form.reason_given,
            batch_size=REVOKE_BATCH_SIZE,
        )
        report(request, count)
        return HttpResponseRedirect(self.get_success_url())


# The not-before marker has to be visible to other requests at once, and not only at
# the end of a transaction.
@method_decorator(transaction.non_atomic_requests, name="dispatch")
class RevokeEverybodyView(RevokeSeveralView):
    """Sign out all sessions of users, except the request's own."""

    page_title = gettext_lazy("Sign out everybody")
    confirm_label = gettext_lazy("Yes, sign out everybody")
    form_class = EverybodyForm
    own_session_is_spared = True

    def user_has_permission(self, permission: str) -> bool:
        has_permission: bool = super().user_has_permission(permission)
        return has_permission and is_superuser(request_user(self.request))

    @property
    def rows(self) -> SessionQuerySet:
        rows = all_rows().active().filter(user__isnull=False)
        return rows.exclude(pk__in=self.spared)

    @property
    def spared(self) -> list[uuid.UUID]:
        own = current_session_id(self.request)
        return [] if own is None else [own]

    @property
    def question(self) -> str:  # type: ignore[override]
        text = ngettext(
            "Sign out %(count)d session of all users?",
            "Sign out %(count)d sessions of all users?",
            self.count,
        )
        return text % {"count": self.count}

    @cached_property
    def open_editors(self) -> Sequence[OpenEditor]:
        users = get_user_model()._base_manager.exclude(pk=request_user(self.request).pk)
        return open_editors(users)

    def form_valid(self, form: RevocationForm) -> HttpResponse:
        request = self.request
        reason = form.reason_given
        revocation = MassRevocation(
            self.rows,
            by=request_user(request),
            reason=reason,
            marker=get_engine()().create_model_instance({}),
            spared=self.spared,
        )
        count = 0
        try:
            for ended in revocation:
                count += ended
        finally:
            # An error may stop it half-way; the sessions until then have ended.
            log_everybody(request, count=count, reason=reason)
        report(request, count)
        return HttpResponseRedirect(self.get_success_url())
