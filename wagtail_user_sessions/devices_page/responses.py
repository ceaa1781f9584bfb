"""Responses: whole pages, or for htmx a fragment or a redirect of the whole page.

https://htmx.org/docs/#request-headers
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from .device_list import DeviceList, get_device_list
from .list_params import ListParams
from .page_config import PageConfig


def is_fragment(request: HttpRequest) -> bool:
    """Return whether htmx puts the response into a part of the page.

    Boosted links, and htmx when it restores its history, expect whole pages.
    """
    htmx = HtmxDetails(request)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def redirect(request: HttpRequest, url: str) -> HttpResponse:
    """Redirect the whole page, never only a part of it."""
    if is_fragment(request):
        return HttpResponseClientRedirect(url)
    return HttpResponseRedirect(url)


def redirect_to_sign_in(
    request: HttpRequest, *, next_url: str, login_url: str = ""
) -> HttpResponse:
    """Redirect to a login page, and from there to ``next_url``, a URL of this site.

    The login page is ``login_url``, or LOGIN_URL if that is empty.
    """
    login_url = resolve_url(login_url or settings.LOGIN_URL)
    if urlsplit(login_url).netloc not in {"", request.get_host()}:
        # A login page on another host needs the absolute URL to come back.
        next_url = request.build_absolute_uri(next_url)
    return redirect(request, redirect_to_login(next_url, login_url).url)


FRAGMENT_TEMPLATE = "wagtail_user_sessions/partials/answer.html"


def render_list(
    request: HttpRequest,
    config: PageConfig,
    devices: DeviceList,
    *notices: Message,
    is_refresh: bool = False,
) -> HttpResponse:
    """Return the list in its page, or only the list for htmx."""
    context = {"devices": devices, "is_refresh": is_refresh}
    if is_fragment(request):
        # Browsers ignore autofocus once an element of the page has had the focus.
        devices = replace(devices, focus_attribute="data-wus-focus")
        context |= {"devices": devices, "notices": notices, "is_fragment": True}
        return config.render(request, FRAGMENT_TEMPLATE, context)

    @cache
    def all_notices() -> list[Message]:
        return [*notices, *_unseen_messages(request)]

    # Called by the template where the list begins: only then it is known whether the
    # template around it has shown the site's messages.
    context["notices"] = all_notices
    return config.render(request, config.template, {**config.context, **context})


def action_response(
    request: HttpRequest,
    config: PageConfig,
    *notices: Message,
    focus: Callable[[DeviceList], DeviceList],
) -> HttpResponse:
    """Return the list after an action; ``focus`` puts the focus on a part of it."""
    params = ListParams.from_query(request.GET).closed
    if is_fragment(request):
        devices = get_device_list(request, params, **config.list_kwargs)
        return render_list(request, config, focus(devices), *notices)
    add_messages(request, *notices)
    return redirect(request, config.url_for("device_list") + params.query)


def add_messages(request: HttpRequest, *notices: Message) -> None:
    """Show the notices on the next page, if the site has Django's messages."""
    for notice in notices:
        messages.add_message(request, notice.level, notice.message, fail_silently=True)


def _unseen_messages(request: HttpRequest) -> Sequence[Message]:
    """Return the site's messages, unless the template around the list has shown them."""
    storage = messages.get_messages(request)
    return [] if getattr(storage, "used", False) else list(storage)
