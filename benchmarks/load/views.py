"""Pages that read and change the session.

Pages of users return their user, those of visitors the id of their session.
"""

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
# The most attempts of a visitor.
LIMIT = 3

Content = dict[str, Any]


def for_users(view: Callable[..., Content]) -> Callable[..., HttpResponse]:
    """Return a page with its user and the view's content; with no user for visitors."""

    @wraps(view)
    def page(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return JsonResponse({"user": None})
        # Before the view, which may sign the user out.
        username = request.user.get_username()
        return JsonResponse({"user": username, **view(request, **kwargs)})

    return page


@for_users
def whoami(request: HttpRequest) -> Content:
    return {}


@for_users
def count(request: HttpRequest) -> Content:
    request.session["count"] = request.session.get("count", 0) + 1
    return {"count": request.session["count"]}


@for_users
def put(request: HttpRequest, name: str) -> Content:
    request.session[OWN + name] = name
    return {}


@for_users
def pop(request: HttpRequest, name: str) -> Content:
    request.session.pop(OWN + name, None)
    return {}


@for_users
def data(request: HttpRequest) -> Content:
    return {"data": dict(request.session.items())}


@for_users
def renew(request: HttpRequest) -> Content:
    request.session.cycle_key()
    return {}


@for_users
def sign_out(request: HttpRequest) -> Content:
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
    """End a session by a request of another browser."""
    revoked = Session.objects.filter(pk=pk).revoke()
    return JsonResponse({"user": None, "cache_failed": revoked.cache_failed})


def attempts(request: HttpRequest) -> HttpResponse:
    """Count a visitor's attempts (POST) up to a limit, or return their number (GET)."""
    store = cast(SessionStore, request.session)
    is_admitted = request.method == "POST" and store.get("count", 0) < LIMIT
    if is_admitted:
        store["count"] = store.get("count", 0) + 1
        if store.session_key is None:
            store.save()
    content = {"count": store.get("count", 0), "admitted": is_admitted}
    return JsonResponse({"id": _id(store), **content})


def keep(request: HttpRequest, name: str) -> HttpResponse:
    """Change a visitor's session by a GET."""
    store = cast(SessionStore, request.session)
    pk = _id(store)
    store[OWN + name] = name
    return JsonResponse({"id": pk})


def _id(store: SessionStore) -> str | None:
    return None if store.id is None else str(store.id)
