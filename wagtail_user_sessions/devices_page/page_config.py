"""The page that a list of devices stands in."""

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
    # The name of its template, or several, the first that exists being taken.
    template: str | Sequence[str] = DEFAULT_TEMPLATE
    # Where to sign in; LOGIN_URL where it is empty.
    login_url: str = ""
    # Where to go after signing out; LOGOUT_REDIRECT_URL where it is empty.
    signed_out_url: str = ""
    # Where to choose a new password; what the settings say where it is empty.
    password_change_url: str = ""
    # What its template is given besides the list.
    context: Mapping[str, Any] = field(default_factory=dict)
    # How it is rendered, and the list that htmx asks for alone.
    render: Callable[..., HttpResponse] = shortcuts.render

    @property
    def addresses(self) -> dict[str, Any]:
        """What the list is told of where it stands."""
        return {"url_for": self.url_for, "password_url": self.password_change_url}


def default_page_config(request: HttpRequest) -> PageConfig:
    """The page at this app's own URLs."""
    match = request.resolver_match
    is_ours = match is not None and match.app_names[-1:] == [APP_NAME]
    # Where the site has included the URLs below a namespace of its own.
    around = match.namespaces[:-1] if match and is_ours else []
    namespace = match.namespace if match else None

    def url_for(name: str, *args: object) -> str:
        name = ":".join([*around, APP_NAME, name])
        return reverse(name, args=args, current_app=namespace)

    return PageConfig(url_for=url_for)
