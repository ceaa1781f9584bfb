"""Additions to Wagtail's own pages of users."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from django.contrib.admin.utils import quote
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.messages import MessageFailure
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin import messages
from wagtail.admin.ui.menus import MenuItem
from wagtail.admin.utils import get_user_display_name

from .links import has_permission, url_of
from .permission_policies import all_rows, may_manage, request_user
from .status import Status, filter_by_status


def listing_buttons(
    user: AbstractBaseUser, request_user: AbstractBaseUser
) -> Iterator[MenuItem]:
    """Yield the items of a user's row in the list of users."""
    if not may_manage(request_user, user):
        return
    if has_permission(request_user, "view"):
        url = url_of("list", user=user.pk)
        yield MenuItem(_("Sessions"), url, icon_name="key", priority=50)
    if has_permission(request_user, "delete"):
        here = reverse("wagtailusers_users:index")
        yield MenuItem(
            _("Sign out everywhere"),
            url_of("revoke_user", quote(user.pk), next=here),
            icon_name="logout",
            priority=60,
        )


def show_session_count(request: HttpRequest, user: AbstractBaseUser) -> None:
    """Show the number of active sessions on a user's page, with a link.

    It is a message, because Wagtail has no other place on this page for plugins.
    """
    viewer = request_user(request)
    if request.method != "GET" or not (
        may_manage(viewer, user) and has_permission(viewer, "view")
    ):
        return
    count = filter_by_status(all_rows().valid_for(user), Status.ACTIVE).count()
    text = ngettext(
        "%(user)s has %(count)d active session.",
        "%(user)s has %(count)d active sessions.",
        count,
    )
    text %= {"user": get_user_display_name(user), "count": count}
    button = messages.button(url_of("list", user=user.pk), _("Sessions"))
    # A request without the middleware of the messages shows none.
    with suppress(MessageFailure):
        messages.info(request, text, buttons=[button])
