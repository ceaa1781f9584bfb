"""Answers to htmx: a fragment of the page, or a redirect of the whole page.

https://htmx.org/docs/#request-headers
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails


def is_fragment(request: HttpRequest) -> bool:
    """Whether the answer is put into a part of the page that asks.

    Links that are boosted, and the history of htmx, want whole pages.
    """
    htmx = HtmxDetails(request)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def redirect(request: HttpRequest, url: str) -> HttpResponse:
    """Lead the browser to the address: never only a part of its page."""
    if is_fragment(request):
        return HttpResponseClientRedirect(url)
    return HttpResponseRedirect(url)


def redirect_to_sign_in(
    request: HttpRequest, *, next_url: str, login_url: str = ""
) -> HttpResponse:
    """Lead to a login page, LOGIN_URL where none is given, and from there to an
    address of this site.
    """
    login_url = resolve_url(login_url or settings.LOGIN_URL)
    if urlsplit(login_url).netloc not in {"", request.get_host()}:
        # Another site's login page needs to know where it was called from.
        next_url = request.build_absolute_uri(next_url)
    return redirect(request, redirect_to_login(next_url, login_url).url)
