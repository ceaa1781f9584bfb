"""Checks of the session middleware: that it is ours, and that it comes first."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware as DjangoMiddleware
from django.core.checks import CheckMessage, register
from django.utils.module_loading import import_string

from wagtail_user_sessions.middleware import SessionMiddleware

from .messages import TAG, error

# Middleware that uses ``request.session``.
AFTER = (
    auth.AuthenticationMiddleware,
    auth.RemoteUserMiddleware,
    auth.LoginRequiredMiddleware,
    MessageMiddleware,
)
HINT = (
    'Let "wagtail_user_sessions.middleware.SessionMiddleware", or a subclass of '
    "it, be the only session middleware. Without it a session knows neither its "
    "client nor its activity."
)


@register(TAG)
def check_middleware(**kwargs: Any) -> list[CheckMessage]:
    used = _places(DjangoMiddleware)
    if not used:
        return [error(3, "MIDDLEWARE has no session middleware.", hint=HINT)]
    ours = _places(SessionMiddleware)
    return [
        error(4, f"MIDDLEWARE has {path}, which isn't this package's.", hint=HINT)
        for path in used
        if path not in ours
    ]


@register(TAG)
def check_order(**kwargs: Any) -> list[CheckMessage]:
    first = min(_places(DjangoMiddleware).values(), default=0)
    hint = "Move the session middleware before all that use the session."
    return [
        error(5, f"MIDDLEWARE has {path} before the session middleware.", hint=hint)
        for path, place in _places(*AFTER).items()
        if place < first
    ]


def _places(*classes: type) -> dict[str, int]:
    """Return the index in MIDDLEWARE of these classes and their subclasses, by path."""
    places = {}
    for place, path in enumerate(settings.MIDDLEWARE):
        try:
            middleware = import_string(path)
        except Exception:  # noqa: S112
            # Django itself reports it: the site doesn't start.
            continue
        if isinstance(middleware, type) and issubclass(middleware, classes):
            places[path] = place
    return places
