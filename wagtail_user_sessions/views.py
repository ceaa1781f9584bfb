"""The pages that visitors see of their own sessions."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import router
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils.cache import add_never_cache_headers
from django.views import defaults
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import requires_csrf_token
from django.views.decorators.http import require_safe

from .backends.db import SessionStore
from .models import AbstractSession, SessionQuerySet


@never_cache
@require_safe
@login_required
def device_list(request: HttpRequest) -> HttpResponse:
    """The sessions that the visitor is signed in with, this one first."""
    context = {
        "sessions": list_sessions(request),
        "current_id": cast("SessionStore", request.session).id,
    }
    return render(request, "wagtail_user_sessions/devices.html", context)


def list_sessions(request: HttpRequest) -> list[AbstractSession]:
    """The active sessions of the request's user: the current one, then the
    others by their last activity. Takes one query, whatever their number.
    """
    model = cast("SessionStore", request.session).model
    # The database that is written to: a replica may still list ended ones.
    rows = SessionQuerySet(model, using=router.db_for_write(model))
    rows = rows.active().for_user(cast("AbstractBaseUser", request.user))
    rows = rows.select_related("user").defer("session_data")
    rows = rows.order_by(F("last_activity").desc(nulls_last=True), "-signed_in_at")
    return sorted(
        (row for row in rows if row.is_active),
        key=lambda row: not row.is_current(request),
    )


@requires_csrf_token
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page for who asks with a session that has ended; for ``handler400``.

    Any other bad request is answered as Django does.
    """
    if not isinstance(exception, SessionInterrupted):
        return defaults.bad_request(request, exception)
    # The request still holds the user of the session that has ended.
    context = {"user": AnonymousUser(), "login_url": resolve_url(settings.LOGIN_URL)}
    template = "wagtail_user_sessions/session_interrupted.html"
    response = render(request, template, context, status=400)
    add_never_cache_headers(response)
    return response
