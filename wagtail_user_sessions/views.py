"""The view of ``handler400``, which a site names as ``views.bad_request``."""

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
    """Respond to a request whose session has ended meanwhile; for ``handler400``.

    The page has status 400 and a link to the login page. Every other bad request
    gets Django's own response.
    """
    if not isinstance(exception, SessionInterrupted):
        return defaults.bad_request(request, exception)
    # request.user is still the user of the ended session.
    context = {"user": AnonymousUser(), "login_url": resolve_url(settings.LOGIN_URL)}
    template = "wagtail_user_sessions/session_interrupted.html"
    response = render(request, template, context, status=400)
    add_never_cache_headers(response)
    return response
