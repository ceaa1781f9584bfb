"""Checks of the apps and URLs that the devices page needs."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, register
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from wagtail_user_sessions.conf import Conf, conf
from wagtail_user_sessions.devices_page.page_config import APP_NAME

from .messages import TAG, error, warning
from .settings import is_valid
from .urls import is_device_list

HTMX_HINT = (
    'Add "django_htmx" to INSTALLED_APPS. Until then the page works as it does '
    "without JavaScript, unless the site loads htmx itself."
)
URL_HINT = "Set it to the name of a URL, to a path or an address."


@register(TAG)
def check_htmx(**kwargs: Any) -> list[CheckMessage]:
    if apps.is_installed("django_htmx") or not is_routed():
        return []
    message = "The devices page finds no htmx, as django_htmx isn't installed."
    return [warning(10, message, hint=HTMX_HINT)]


@register(TAG)
def check_password_change_url(**kwargs: Any) -> list[CheckMessage]:
    setting = Conf.PASSWORD_CHANGE_URL
    if not is_valid(setting) or not conf.PASSWORD_CHANGE_URL:
        return []
    try:
        resolve_url(conf.PASSWORD_CHANGE_URL)
    except NoReverseMatch:
        message = f"{setting.name} names no URL of this site."
        return [error(13, message, hint=URL_HINT)]
    return []


def is_routed() -> bool:
    """Return whether the site has a devices page: at this app's URLs, at others of the
    site, or in Wagtail's page tree.

    The page in Wagtail's admin doesn't count: that admin is there anyway.
    """
    with suppress(Exception):
        return _is_devices_page(get_resolver()) or (_has_page_model() and _has_tree())
    # Django's checks report URLs that can't be imported.
    return False


def _is_devices_page(route: URLPattern | URLResolver) -> bool:
    if isinstance(route, URLResolver):
        is_ours = route.app_name == APP_NAME
        return is_ours or any(map(_is_devices_page, route.url_patterns))
    return is_device_list(route.callback)


def _has_page_model() -> bool:
    """Return whether a model extends ``DevicesPageMixin``, without an import of it."""
    modules = (cls.__module__ for model in apps.get_models() for cls in model.__mro__)
    return "wagtail_user_sessions.wagtail_pages" in modules


def _has_tree() -> bool:
    with suppress(NoReverseMatch):
        reverse("wagtail_serve", args=[""])
        return True
    return False
