"""The client of an ASGI scope, such as a websocket's, which has no request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest

from .request import Client, from_request


def from_scope(scope: Mapping[str, Any]) -> Client:
    """Return the client that opened the connection of an ASGI scope.

    Assign it to a session's ``client`` before the session is saved or signed in, and
    the row gets its address and device. Never raises, whatever the headers contain.
    Source: https://asgi.readthedocs.io/en/stable/specs/www.html
    """
    request = HttpRequest()
    request.META = {"REMOTE_ADDR": _address(scope), **_headers(scope)}
    return from_request(request)


def _address(scope: Mapping[str, Any]) -> str:
    # ``None`` for a Unix socket.
    client = scope.get("client")
    return str(client[0]) if client else ""


def _headers(scope: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers by their names in ``META``, as Django's ``ASGIRequest``."""
    found: dict[str, str] = {}
    headers: Iterable[tuple[bytes, bytes]] = scope.get("headers") or ()
    for raw_name, raw_value in headers:
        text = raw_name.decode("latin-1")
        # A proxy may drop these, for WSGI can't tell them from those with hyphens.
        if "_" in text:
            continue
        name = f"HTTP_{text.upper().replace('-', '_')}"
        value = raw_value.decode("latin-1")
        found[name] = f"{found[name]},{value}" if name in found else value
    return found
