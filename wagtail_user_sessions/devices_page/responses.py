"""Answers to htmx: a fragment of the page, or a redirect of the whole page.

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


ANSWER = "wagtail_user_sessions/partials/answer.html"


def render_list(
    request: HttpRequest,
    config: PageConfig,
    devices: DeviceList,
    *notices: Message,
    is_refresh: bool = False,
) -> HttpResponse:
    """The list, in its config unless htmx asks for the list alone."""
    context = {"devices": devices, "is_refresh": is_refresh}
    if is_fragment(request):
        # A browser only heeds autofocus until something has had the focus.
        devices = replace(devices, focus_attribute="data-wus-focus")
        context |= {"devices": devices, "notices": notices, "is_fragment": True}
        return config.render(request, ANSWER, context)

    @cache
    def all_notices() -> list[Message]:
        return [*notices, *_unseen_messages(request)]

    # Asked for when it is their turn in the template, not before.
    context["notices"] = all_notices
    return config.render(request, config.template, {**config.context, **context})


def action_response(
    request: HttpRequest,
    config: PageConfig,
    *notices: Message,
    focus: Callable[[DeviceList], DeviceList],
) -> HttpResponse:
    """The list after an action; ``focus`` says where to go on from there."""
    state = ListParams.from_query(request.GET).closed
    if is_fragment(request):
        devices = get_device_list(request, state, **config.addresses)
        return render_list(request, config, focus(devices), *notices)
    add_messages(request, *notices)
    return redirect(request, config.url_for("device_list") + state.query)


def add_messages(request: HttpRequest, *notices: Message) -> None:
    """Say it on the next page, if the site has messages."""
    for notice in notices:
        messages.add_message(request, notice.level, notice.message, fail_silently=True)


def _unseen_messages(request: HttpRequest) -> Sequence[Message]:
    """The site's messages, unless the template around the list has shown them."""
    storage = messages.get_messages(request)
    return [] if getattr(storage, "used", False) else list(storage)
