"""Checks of the settings that find the address of a client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, register
from django.utils.module_loading import import_string

from wagtail_user_sessions.client.ip_address import parse_network
from wagtail_user_sessions.client.proxies import UNIX
from wagtail_user_sessions.conf import Conf, conf

from .messages import TAG, error, warning
from .settings import is_valid

FUNCTION_HINT = "Name a function that takes the request and returns the address."
BOTH_HINT = "Keep the one that finds the address of your site's clients."
NETWORK_HINT = 'Write an address, a network such as "10.0.0.0/8", or "unix".'
EVERYBODY_HINT = (
    "Name the networks of your own proxies alone: whoever is trusted can claim "
    "any address as their own."
)

BEHIND_PROXY = (
    "SECURE_PROXY_SSL_HEADER",
    "USE_X_FORWARDED_HOST",
    "USE_X_FORWARDED_PORT",
)
PROXY_HINT = (
    'Name the networks of your proxies, or "unix" for a Unix socket. If the server '
    f"itself replaces the address of the peer, set {Conf.CLIENT_IP.name} to a function "
    'that returns request.META["REMOTE_ADDR"].'
)


@register(TAG)
def check_client_ip(**kwargs: Any) -> list[CheckMessage]:
    if conf.CLIENT_IP is None or not is_valid(Conf.CLIENT_IP):
        return []
    return [*_check_function(conf.CLIENT_IP), *_check_both()]


def _check_function(path: str) -> Iterator[CheckMessage]:
    try:
        if callable(import_string(path)):
            return
        reason = "it is no function"
    except Exception as failure:
        reason = str(failure)
    message = f"{Conf.CLIENT_IP.name} {path!r} can't be used: {reason}."
    yield error(11, message, hint=FUNCTION_HINT)


def _check_both() -> Iterator[CheckMessage]:
    if conf.TRUSTED_PROXIES:
        message = f"{Conf.CLIENT_IP.name} is set, so {{}} is ignored."
        yield warning(6, message.format(Conf.TRUSTED_PROXIES.name), hint=BOTH_HINT)


@register(TAG)
def check_trusted_proxies(**kwargs: Any) -> list[CheckMessage]:
    if not is_valid(Conf.TRUSTED_PROXIES):
        return []
    return [
        message
        for entry in conf.TRUSTED_PROXIES
        if entry != UNIX
        for message in _check_proxy(entry)
    ]


@register(TAG)
def check_unnamed_proxies(**kwargs: Any) -> list[CheckMessage]:
    """Find settings of Django's that only a site behind a proxy needs."""
    if conf.CLIENT_IP or conf.TRUSTED_PROXIES or conf.IP_STORAGE == "none":
        return []
    names = [name for name in BEHIND_PROXY if getattr(settings, name)]
    if not names:
        return []
    message = (
        f"{' and '.join(names)} say that the site is behind a proxy, and "
        f"{Conf.TRUSTED_PROXIES.name} names none: all sessions have its address."
    )
    return [warning(18, message, hint=PROXY_HINT)]


def _check_proxy(entry: str) -> Iterator[CheckMessage]:
    name = Conf.TRUSTED_PROXIES.name
    network = parse_network(entry)
    if network is None:
        yield error(12, f"{name} has {entry!r}, no network.", hint=NETWORK_HINT)
    elif network.prefixlen == 0:
        message = f"{name} has {entry!r}, which trusts everybody."
        yield warning(7, message, hint=EVERYBODY_HINT)
