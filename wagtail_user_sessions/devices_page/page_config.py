"""The page around a device list: its URLs, its template and its context."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import shortcuts
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from .device_item import URLFor

APP_NAME = "wagtail_user_sessions"
DEFAULT_TEMPLATE = "wagtail_user_sessions/devices.html"


@dataclass(frozen=True, kw_only=True)
class PageConfig:
    url_for: URLFor
    # The name of the template, or several names: the first that exists is used.
    template: str | Sequence[str] = DEFAULT_TEMPLATE
    # The page to sign in on; if empty, LOGIN_URL.
    login_url: str = ""
    # The page after signing out; if empty, LOGOUT_REDIRECT_URL.
    signed_out_url: str = ""
    # The page to choose a new password on; if empty, that of the settings.
    password_change_url: str = ""
    # The template's context besides the list.
    context: Mapping[str, Any] = field(default_factory=dict)
    # Renders the page, and the fragment that htmx requests.
    render: Callable[..., HttpResponse] = shortcuts.render

    @property
    def list_kwargs(self) -> dict[str, Any]:
        """The keyword arguments of ``get_device_list()`` that depend on the page."""
        return {"url_for": self.url_for, "password_url": self.password_change_url}


def default_page_config(request: HttpRequest) -> PageConfig:
    """Return the config of the page at this app's own URLs."""
    match = request.resolver_match
    is_ours = match is not None and match.app_names[-1:] == [APP_NAME]
    # A site can include the URLs below a namespace of its own.
    outer_namespaces = match.namespaces[:-1] if match and is_ours else []
    namespace = match.namespace if match else None

    def url_for(name: str, *args: object) -> str:
        name = ":".join([*outer_namespaces, APP_NAME, name])
        return reverse(name, args=args, current_app=namespace)

    return PageConfig(url_for=url_for)
