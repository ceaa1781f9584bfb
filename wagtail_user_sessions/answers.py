"""What the views of the list answer: a page, or the part of it that htmx asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest, HttpResponse

from .device_list import DeviceList, read
from .fragments import is_fragment, redirect
from .frames import Frame
from .list_state import ListState

ANSWER = "wagtail_user_sessions/partials/answer.html"


def show(
    request: HttpRequest,
    frame: Frame,
    devices: DeviceList,
    *notices: Message,
    is_refresh: bool = False,
) -> HttpResponse:
    """The list, in its frame unless htmx asks for the list alone."""
    context = {"devices": devices, "is_refresh": is_refresh}
    if is_fragment(request):
        # A browser only heeds autofocus until something has had the focus.
        devices = replace(devices, focus_attribute="data-wus-focus")
        context |= {"devices": devices, "notices": notices, "is_fragment": True}
        return frame.render(request, ANSWER, context)

    @cache
    def all_notices() -> list[Message]:
        return [*notices, *_unseen_messages(request)]

    # Asked for when it is their turn in the template, not before.
    context["notices"] = all_notices
    return frame.render(request, frame.template, {**frame.context, **context})


def finish(
    request: HttpRequest,
    frame: Frame,
    *notices: Message,
    focus: Callable[[DeviceList], DeviceList],
) -> HttpResponse:
    """The list after an action; ``focus`` says where to go on from there."""
    state = ListState.from_query(request.GET).closed
    if is_fragment(request):
        devices = read(request, state, **frame.addresses)
        return show(request, frame, focus(devices), *notices)
    keep(request, *notices)
    return redirect(request, frame.url_for("device_list") + state.query)


def keep(request: HttpRequest, *notices: Message) -> None:
    """Say it on the next page, if the site has messages."""
    for notice in notices:
        messages.add_message(request, notice.level, notice.message, fail_silently=True)


def _unseen_messages(request: HttpRequest) -> Sequence[Message]:
    """The site's messages, unless the template around the list has shown them."""
    storage = messages.get_messages(request)
    return [] if getattr(storage, "used", False) else list(storage)
