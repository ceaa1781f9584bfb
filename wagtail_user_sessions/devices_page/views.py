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

from .device_item import full_title
from .device_list import get_device_list, password_change_url
from .forms import RenameForm
from .list_params import OTHERS, ListParams
from .own_sessions import OwnSessions, is_signed_in
from .page_config import PageConfig, default_page_config
from .responses import (
    action_response,
    add_messages,
    is_fragment,
    redirect,
    redirect_to_sign_in,
    render_list,
)

View = Callable[..., HttpResponse]


def devices_view(*methods: str) -> Callable[[View], View]:
    """Decorate a view of the list: for signed-in users only, and never cached.

    The view gets the page config of the call, else that of the app's own URLs.
    """

    def decorate(view: View) -> View:
        # csrf_protect checks in place of the middleware, below never_cache: so its
        # refusal isn't cached either.
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
            config: PageConfig | None = None,
            **kwargs: object,
        ) -> HttpResponse:
            config = config or default_page_config(request)
            if not is_signed_in(request):
                return _redirect_to_sign_in(request, config)
            try:
                return view(request, config, *args, **kwargs)
            except Http404 as error:
                # Handled below never_cache, so that a 404 isn't cached either.
                handler: View = get_resolver(get_urlconf()).resolve_error_handler(404)
                return handler(request, exception=error)

        return wrapper

    return decorate


@devices_view("GET", "HEAD")
def device_list(request: HttpRequest, config: PageConfig) -> HttpResponse:
    """Show the devices that the user is signed in on, the current one first."""
    devices = get_device_list(
        request, ListParams.from_query(request.GET), **config.list_kwargs
    )
    if is_fragment(request) and "refresh" in request.GET:
        # The page made this request, not its user.
        OwnSessions(request).store.is_activity = False
        return render_list(request, config, devices, is_refresh=True)
    if devices.missing_id:
        _require_proof(request, devices.missing_id)
        return render_list(request, config, devices.focused("summary"), _already_gone())
    return render_list(request, config, devices.focused_on_open_part())


@devices_view("GET", "HEAD", "POST")
def device_revoke(
    request: HttpRequest, config: PageConfig, pk: uuid.UUID
) -> HttpResponse:
    """Sign one device out; the current one by logging out."""
    sessions = OwnSessions(request)
    if request.method == "POST" and pk == sessions.current_id:
        return _sign_out(request, config)
    row = sessions.find(pk)
    if row is None:
        return _without_row(request, config, pk)
    if request.method != "POST":
        return _redirect_to_list(request, config, ListParams(confirm=str(pk)))
    revoked = row.revoke(by=sessions.user)
    if not revoked:
        return _already_signed_out(request, config)
    text = _("Signed out: %(device)s.") % {"device": full_title(row)}
    notices = [Message(messages.SUCCESS, text)]
    return action_response(
        request, config, *notices, focus=lambda devices: devices.focused_after(row)
    )


@devices_view("GET", "HEAD", "POST")
def device_revoke_others(request: HttpRequest, config: PageConfig) -> HttpResponse:
    """Sign out all devices but the current one; then perhaps lead to a new password."""
    if request.method != "POST":
        return _redirect_to_list(request, config, ListParams(confirm=OTHERS))
    sessions = OwnSessions(request)
    revoked = sessions.others.revoke(by=sessions.user)
    text = ngettext(
        "Signed out %(count)d other device.",
        "Signed out %(count)d other devices.",
        revoked,
    )
    notices = [
        Message(messages.SUCCESS, text % {"count": revoked}),
    ]
    password_url = config.password_change_url or password_change_url()
    if "change_password" in request.POST and password_url:
        add_messages(request, *notices)
        return redirect(request, password_url)
    return action_response(
        request, config, *notices, focus=lambda devices: devices.focused("summary")
    )


@devices_view("GET", "HEAD", "POST")
def device_rename(
    request: HttpRequest, config: PageConfig, pk: uuid.UUID
) -> HttpResponse:
    """Set or remove the name of a device."""
    row = OwnSessions(request).find(pk)
    if row is None:
        return _without_row(request, config, pk)
    if request.method != "POST":
        return _redirect_to_list(request, config, ListParams(rename=str(pk)))
    form = RenameForm(request.POST)
    if not form.is_valid():
        params = ListParams.from_query(request.GET).renaming(pk)
        devices = get_device_list(request, params, **config.list_kwargs, form=form)
        return render_list(request, config, devices.focused_on_open_part())
    if not row.rename(form.cleaned_data["name"]):
        return _already_signed_out(request, config)
    renamed = _("The device is now called %(device)s.") % {"device": row}
    text = renamed if row.name else _("The name was taken away.")
    return action_response(
        request,
        config,
        Message(messages.SUCCESS, text),
        focus=lambda devices: devices.focused("rename_button", pk),
    )


def _redirect_to_sign_in(request: HttpRequest, config: PageConfig) -> HttpResponse:
    is_page = request.method == "GET" and not is_fragment(request)
    next_url = request.get_full_path() if is_page else config.url_for("device_list")
    return redirect_to_sign_in(request, next_url=next_url, login_url=config.login_url)


def _redirect_to_list(
    request: HttpRequest, config: PageConfig, params: ListParams
) -> HttpResponse:
    """Redirect a GET of an action's URL to the list, with its confirmation or form open.

    A login page redirects to such a URL, for instance.
    """
    return redirect(request, config.url_for("device_list") + params.query)


def _sign_out(request: HttpRequest, config: PageConfig) -> HttpResponse:
    auth.logout(request)
    url = config.signed_out_url or settings.LOGOUT_REDIRECT_URL or settings.LOGIN_URL
    return redirect(request, resolve_url(url))


def _without_row(
    request: HttpRequest, config: PageConfig, pk: uuid.UUID
) -> HttpResponse:
    """Respond for a device without a row: it may have had one when the page was made."""
    _require_proof(request, pk)
    return _already_signed_out(request, config)


def _require_proof(request: HttpRequest, pk: uuid.UUID) -> None:
    """Raise Http404 for an id that wasn't on the user's own list.

    So a response never shows whether the id of another user's session exists.
    """
    proof = (request.POST or request.GET).get("proof", "")
    if not OwnSessions(request).verify_id(pk, proof):
        raise Http404


def _already_signed_out(request: HttpRequest, config: PageConfig) -> HttpResponse:
    return action_response(
        request,
        config,
        _already_gone(),
        focus=lambda devices: devices.focused("summary"),
    )


def _already_gone() -> Message:
    return Message(messages.INFO, _("That device is already signed out."))
