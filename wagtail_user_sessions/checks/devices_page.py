"""Checks of the apps and URLs that the devices page needs."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, register
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch

from wagtail_user_sessions.conf import Conf, conf

from .messages import TAG, error, warning
from .settings import is_valid

HTMX_HINT = (
    'Add "django_htmx" to INSTALLED_APPS. Until then the page works as it does '
    "without JavaScript, unless the site loads htmx itself."
)
URL_HINT = "Set it to the name of a URL, to a path or an address."


@register(TAG)
def check_htmx(**kwargs: Any) -> list[CheckMessage]:
    if apps.is_installed("django_htmx"):
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
