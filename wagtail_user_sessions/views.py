"""The page for ``handler400``: a site names it as ``views.bad_request``."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.exceptions import SessionInterrupted
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils.cache import add_never_cache_headers
from django.views import defaults
from django.views.decorators.csrf import requires_csrf_token


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
