"""Checks of the devices page and the sign-in page among the site's URLs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.conf import global_settings, settings
from django.core.checks import CheckMessage, register
from django.urls import (
    NoReverseMatch,
    Resolver404,
    URLPattern,
    URLResolver,
    get_resolver,
    get_script_prefix,
    resolve,
    reverse,
)
from django.urls.resolvers import LocalePrefixPattern
from django.utils.functional import Promise
from django.utils.translation import get_language, override

from wagtail_user_sessions.devices_page import views

from .messages import TAG, warning

HINT = (
    'Put path("…", include("wagtail_user_sessions.urls")) before it: Wagtail\'s '
    'path("", include(wagtail_urls)) takes all paths, and stands last.'
)
LOGIN_HINT = (
    'Set LOGIN_URL to the name or path of the page where people sign in, such as "login" '
    'or "wagtailadmin_login".'
)
# The view that answers for each path that no other pattern takes.
WAGTAIL_SERVE = "wagtail.views.serve"
MAX_LANGUAGES = 20


@dataclass(frozen=True)
class Route:
    """A place of the devices page: its URL conf, its full name, its translation."""

    urlconf: str
    name: str
    is_translated: bool


@register(TAG)
def check_devices_page_is_reached(**kwargs: Any) -> list[CheckMessage]:
    return [
        warning(16, message, hint=HINT)
        for route in devices_routes()
        if (message := _find_trouble(route))
    ]


@register(TAG)
def check_login_page(**kwargs: Any) -> list[CheckMessage]:
    """Find a site whose devices page sends visitors to a page that isn't there."""
    url = str(global_settings.LOGIN_URL)
    route = next(devices_routes(), None)
    if route is None or url != settings.LOGIN_URL:
        return []
    try:
        view = _view_at(url, route.urlconf)
    except Exception:
        # Of a converter of the site's own.
        return []
    if view is not None and _path_of(view) != WAGTAIL_SERVE:
        return []
    message = (
        f"Who isn't signed in is sent from the devices page to {url}: it has none."
    )
    return [warning(19, message, hint=LOGIN_HINT)]


def devices_routes() -> Iterator[Route]:
    """Yield each place at which the site's URL confs have the devices page."""
    for urlconf in _urlconfs():
        # Django reports a URL conf that can't be imported.
        with suppress(Exception):
            for names, is_translated in _find(get_resolver(urlconf)):
                yield Route(urlconf, ":".join([*names, "device_list"]), is_translated)


def _urlconfs() -> list[str]:
    # Of django-tenants and django-subdomains, which choose one for each request.
    found = [
        getattr(settings, "ROOT_URLCONF", None),
        getattr(settings, "PUBLIC_SCHEMA_URLCONF", None),
        *(getattr(settings, "SUBDOMAIN_URLCONFS", None) or {}).values(),
    ]
    return [*dict.fromkeys(filter(None, found))]


def _find(resolver: URLResolver) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield the namespaces of each devices page, and whether its URL is translated."""
    is_translated = _is_translated(resolver)
    names = (resolver.namespace,) if resolver.namespace else ()
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            if pattern.name == "device_list" and is_device_list(pattern.callback):
                yield names, is_translated
        else:
            for inner_names, is_inner in _find(pattern):
                yield (*names, *inner_names), is_translated or is_inner


def _is_translated(resolver: URLResolver) -> bool:
    pattern = resolver.pattern
    is_lazy = isinstance(getattr(pattern, "_route", None), Promise)
    return is_lazy or isinstance(pattern, LocalePrefixPattern)


def is_device_list(view: Any) -> bool:
    """Return whether a view is that of the devices page."""
    # By its path: a site can wrap it in a decorator.
    return _path_of(view) == _path_of(views.device_list)


def _path_of(view: Any) -> str:
    view = getattr(view, "view_class", view)
    name = getattr(view, "__qualname__", type(view).__qualname__)
    return f"{view.__module__}.{name}"


def _find_trouble(route: Route) -> str:
    """Return what another view has taken; "" if the page is reached, or if that can't
    be told.
    """
    # A converter of the site's own may raise anything, as before the first migration.
    with suppress(Exception):
        return _trouble(route)
    return ""


def _languages() -> list[str | None]:
    """Return the languages in which a translated URL is tried.

    Each loads a catalogue: of Django's hundred, which a site has that names none, the
    site's own and one other will do.
    """
    codes = [code for code, _ in settings.LANGUAGES]
    if len(codes) <= MAX_LANGUAGES:
        return [*codes]
    own = settings.LANGUAGE_CODE
    return [own, next(code for code in codes if code != own)]


def _trouble(route: Route) -> str:
    for language in _languages() if route.is_translated else [get_language()]:
        # Reversed with a value for each parameter of the URL, of which none is known.
        with override(language), suppress(NoReverseMatch):
            url = reverse(route.name, urlconf=route.urlconf)
            if taken_by := _taken_by(url, route.urlconf):
                return f"The devices page can't be reached: {url} leads to {taken_by}."
    return ""


def _taken_by(url: str, urlconf: str) -> str:
    view = _view_at("/" + url.removeprefix(get_script_prefix()), urlconf)
    if view is None:
        return "no view"
    return "" if is_device_list(view) else _path_of(view)


def _view_at(path: str, urlconf: str) -> Any:
    try:
        return resolve(path, urlconf).func
    except Resolver404:
        return None
