"""The user's own devices, in Wagtail's admin."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLResolver, include, path, reverse
from django.utils.translation import gettext as _

from wagtail_user_sessions.backends.db import SessionStore
from wagtail_user_sessions.devices_page import views
from wagtail_user_sessions.devices_page.page_config import PageConfig
from wagtail_user_sessions.devices_page.views import View
from wagtail_user_sessions.wagtail_admin import template_loader

NAMESPACE = "wagtail_user_sessions_account"


def admin_urls() -> list[URLResolver]:
    """Return the URLs of the devices page. Wagtail checks the access to its admin."""
    urlpatterns = [
        path("", _in_admin(views.device_list), name="device_list"),
        path(
            "revoke-others/",
            _in_admin(views.device_revoke_others),
            name="device_revoke_others",
        ),
        path("<uuid:pk>/revoke/", _in_admin(views.device_revoke), name="device_revoke"),
        path("<uuid:pk>/rename/", _in_admin(views.device_rename), name="device_rename"),
    ]
    return [path("account/devices/", include((urlpatterns, NAMESPACE)))]


def menu_item(request: HttpRequest) -> dict[str, Any] | None:
    if not _has_our_session(request):
        return None
    return {
        "url": reverse(f"{NAMESPACE}:device_list"),
        "label": _("Your devices"),
        "help_text": _("See where you are signed in, and sign devices out."),
    }


def _in_admin(view: View) -> View:
    """Return the view of the devices page, with the admin's page config."""

    def wrapped(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not _has_our_session(request):
            raise Http404
        return view(request, config=_page_config(), **kwargs)

    return wrapped


def _has_our_session(request: HttpRequest) -> bool:
    # Wagtail also calls hooks with requests that no session middleware has seen.
    return isinstance(getattr(request, "session", None), SessionStore)


def _page_config() -> PageConfig:
    def url_for(name: str, *args: object) -> str:
        return reverse(f"{NAMESPACE}:{name}", args=args)

    return PageConfig(
        url_for=url_for,
        login_url=reverse("wagtailadmin_login"),
        signed_out_url=reverse("wagtailadmin_login"),
        password_change_url=reverse("wagtailadmin_account"),
        template="wagtail_user_sessions/admin/devices.html",
        render=template_loader.render,
    )
