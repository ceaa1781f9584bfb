"""Pages that say who asks for them, and read and change the session."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth import get_user_model, login, logout
from django.http import HttpRequest, HttpResponse, JsonResponse

from wagtail_user_sessions.backends.db import SessionStore
from wagtail_user_sessions.models import Session

BACKEND = "django.contrib.auth.backends.ModelBackend"
OWN = "own."

Facts = dict[str, Any]


def for_users(view: Callable[..., Facts]) -> Callable[..., HttpResponse]:
    """A page that tells its user and what the view says; nothing to a visitor."""

    @wraps(view)
    def page(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return JsonResponse({"user": None})
        # Named before the view, which may sign out.
        username = request.user.get_username()
        return JsonResponse({"user": username, **view(request, **kwargs)})

    return page


@for_users
def whoami(request: HttpRequest) -> Facts:
    return {}


@for_users
def count(request: HttpRequest) -> Facts:
    request.session["count"] = request.session.get("count", 0) + 1
    return {"count": request.session["count"]}


@for_users
def put(request: HttpRequest, name: str) -> Facts:
    request.session[OWN + name] = name
    return {}


@for_users
def pop(request: HttpRequest, name: str) -> Facts:
    request.session.pop(OWN + name, None)
    return {}


@for_users
def data(request: HttpRequest) -> Facts:
    return {"data": dict(request.session.items())}


@for_users
def renew(request: HttpRequest) -> Facts:
    request.session.cycle_key()
    return {}


@for_users
def sign_out(request: HttpRequest) -> Facts:
    logout(request)
    return {}


def sign_in(request: HttpRequest, username: str) -> HttpResponse:
    user = get_user_model().objects.get(username=username)
    if not user.is_active:
        return JsonResponse({"user": None})
    login(request, user, backend=BACKEND)
    store = cast(SessionStore, request.session)
    return JsonResponse({"user": username, "id": str(store.id)})


def end(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Somebody else's page that ends a session."""
    revoked = Session.objects.filter(pk=pk).revoke()
    return JsonResponse({"user": None, "cache_failed": revoked.cache_failed})
