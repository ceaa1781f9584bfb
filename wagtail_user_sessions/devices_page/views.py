"""The pages that visitors see of their own sessions."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib import auth, messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.messages.storage.base import Message
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.urls import get_resolver, get_urlconf
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from wagtail_user_sessions.middleware import activity
from wagtail_user_sessions.sessions.reasons import RevokedCount, cache_failure_text

from .device_item import full_title
from .device_list import password_change_url, read
from .forms import RenameForm
from .list_params import OTHERS, ListState
from .own_sessions import OwnSessions
from .page_config import Frame, frame_of_app
from .responses import finish, is_fragment, keep, redirect, redirect_to_sign_in, show

View = Callable[..., HttpResponse]


def for_its_user(*methods: str) -> Callable[[View], View]:
    """A view of the list, for who is signed in; no answer of it is ever kept.

    It stands in the ``frame`` that it is called with, else in the app's own.
    """

    def decorate(view: View) -> View:
        # Checked by csrf_protect alone, so that its refusal isn't kept either.
        @csrf_exempt
        @login_not_required
        @never_cache
        @vary_on_headers("HX-Request")
        @require_http_methods(methods)
        @csrf_protect
        @wraps(view)
        def wrapper(
            request: HttpRequest,
            *args: object,
            frame: Frame | None = None,
            **kwargs: object,
        ) -> HttpResponse:
            frame = frame or frame_of_app(request)
            if not request.user.is_authenticated:
                return _ask_to_sign_in(request, frame)
            try:
                return view(request, frame, *args, **kwargs)
            except Http404 as error:
                # Answered here, so that this isn't kept either.
                handler: View = get_resolver(get_urlconf()).resolve_error_handler(404)
                return handler(request, exception=error)

        return wrapper

    return decorate


@for_its_user("GET", "HEAD")
def device_list(request: HttpRequest, frame: Frame) -> HttpResponse:
    """The devices that the visitor is signed in on, this one first."""
    devices = read(request, ListState.from_query(request.GET), **frame.addresses)
    if is_fragment(request) and "refresh" in request.GET:
        activity.ignore(request)
        return show(request, frame, devices, is_refresh=True)
    if devices.missing_id:
        _require_proof(request, devices.missing_id)
        return show(request, frame, devices.focused("summary"), _gone())
    return show(request, frame, devices.focused_on_what_is_open())


@for_its_user("GET", "HEAD", "POST")
def device_revoke(request: HttpRequest, frame: Frame, pk: uuid.UUID) -> HttpResponse:
    """Sign one device out; this one, by logging out."""
    sessions = OwnSessions(request)
    if request.method == "POST" and pk == sessions.current_id:
        return _sign_out(request, frame)
    row = sessions.find(pk)
    if row is None:
        return _answer_without(request, frame, pk)
    if request.method != "POST":
        return _ask(request, frame, ListState(confirm=str(pk)))
    revoked = row.revoke(by=sessions.user)
    if not revoked:
        return _say_it_has_gone(request, frame)
    text = _("Signed out: %(device)s.") % {"device": full_title(row)}
    notices = [Message(messages.SUCCESS, text), *_warnings(revoked)]
    return finish(
        request, frame, *notices, focus=lambda devices: devices.focused_after(row)
    )


@for_its_user("GET", "HEAD", "POST")
def device_revoke_others(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Sign out all devices but this one, and perhaps go on to a new password."""
    if request.method != "POST":
        return _ask(request, frame, ListState(confirm=OTHERS))
    sessions = OwnSessions(request)
    revoked = sessions.others.revoke(by=sessions.user)
    text = ngettext(
        "Signed out %(count)d other device.",
        "Signed out %(count)d other devices.",
        revoked,
    )
    notices = [
        Message(messages.SUCCESS, text % {"count": revoked}),
        *_warnings(revoked),
    ]
    password_url = frame.password_change_url or password_change_url()
    if "change_password" in request.POST and password_url:
        keep(request, *notices)
        return redirect(request, password_url)
    return finish(
        request, frame, *notices, focus=lambda devices: devices.focused("summary")
    )


@for_its_user("GET", "HEAD", "POST")
def device_rename(request: HttpRequest, frame: Frame, pk: uuid.UUID) -> HttpResponse:
    """Give a device the name that its user wants for it."""
    row = OwnSessions(request).find(pk)
    if row is None:
        return _answer_without(request, frame, pk)
    if request.method != "POST":
        return _ask(request, frame, ListState(rename=str(pk)))
    form = RenameForm(request.POST)
    if not form.is_valid():
        state = ListState.from_query(request.GET).renaming(pk)
        devices = read(request, state, **frame.addresses, form=form)
        return show(request, frame, devices.focused_on_what_is_open())
    if not row.rename(form.cleaned_data["name"]):
        return _say_it_has_gone(request, frame)
    called = _("The device is now called %(device)s.") % {"device": row}
    text = called if row.name else _("The name was taken away.")
    return finish(
        request,
        frame,
        Message(messages.SUCCESS, text),
        focus=lambda devices: devices.focused("rename_button", pk),
    )


def _ask_to_sign_in(request: HttpRequest, frame: Frame) -> HttpResponse:
    is_page = request.method == "GET" and not is_fragment(request)
    back = request.get_full_path() if is_page else frame.url_for("device_list")
    return redirect_to_sign_in(request, next_url=back, login_url=frame.login_url)


def _ask(request: HttpRequest, frame: Frame, state: ListState) -> HttpResponse:
    """Who comes to the address of an action, from a login perhaps, is asked."""
    return redirect(request, frame.url_for("device_list") + state.query)


def _sign_out(request: HttpRequest, frame: Frame) -> HttpResponse:
    auth.logout(request)
    url = frame.signed_out_url or settings.LOGOUT_REDIRECT_URL or settings.LOGIN_URL
    return redirect(request, resolve_url(url))


def _answer_without(request: HttpRequest, frame: Frame, pk: uuid.UUID) -> HttpResponse:
    """For a device that isn't there: it may have been, when the page was made."""
    _require_proof(request, pk)
    return _say_it_has_gone(request, frame)


def _require_proof(request: HttpRequest, pk: uuid.UUID) -> None:
    """Nobody learns of an id that wasn't on their own list whether it exists."""
    proof = (request.POST or request.GET).get("proof", "")
    if not OwnSessions(request).is_proven(pk, proof):
        raise Http404


def _say_it_has_gone(request: HttpRequest, frame: Frame) -> HttpResponse:
    return finish(
        request, frame, _gone(), focus=lambda devices: devices.focused("summary")
    )


def _gone() -> Message:
    return Message(messages.INFO, _("That device is already signed out."))


def _warnings(revoked: RevokedCount) -> list[Message]:
    if not revoked.cache_failed:
        return []
    return [Message(messages.WARNING, cache_failure_text())]
