"""The address of a client behind the proxies of the site."""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from django.http import HttpRequest
from django.utils.module_loading import import_string

from wagtail_user_sessions.conf import Conf, conf

from .ip_address import IPAddress, IPNetwork, parse_ip, parse_network

logger = logging.getLogger(__name__)

# The characters of X-Forwarded-For that are read, from its right end.
FORWARDED_LIMIT = 2048

UNIX: Literal["unix"] = "unix"
# Servers leave the address of a Unix socket out, or write it as "unix:" (nginx), with or
# without the socket's path, as "@" (Go's) or as "localhost" (Waitress).
UNIX_SOCKET = re.compile(r"\s*(?:unix(?::.*)?|@|localhost)?\s*", re.IGNORECASE)
# Addresses of a provider's own network, which Python doesn't call private: RFC 6598.
SHARED = ipaddress.ip_network("100.64.0.0/10")

# An address, a Unix socket, or neither.
Hop = IPAddress | Literal["unix"] | None

# What a request shows of a wrong setting.
NAME = Conf.TRUSTED_PROXIES.name
FROM_SOCKET = f'Connections come from a Unix socket, and {NAME} has no "unix".'
FROM_PROXY = (
    f"A private address, %s, sends X-Forwarded-For, and is not in {NAME}. If it is a "
    "proxy of the site, all sessions have its address in place of their own."
)
NO_HEADER = f"%s is in {NAME}, and has sent no X-Forwarded-For with an address."
NO_ADDRESS = (
    f"A proxy in {NAME} has appended no address to X-Forwarded-For, but something else."
)

_logged: set[str] = set()


def find_address(request: HttpRequest) -> IPAddress | None:
    """Return the address of the client, or ``None`` if it isn't known. Never raises."""
    if conf.CLIENT_IP:
        try:
            return parse_ip(str(import_string(conf.CLIENT_IP)(request)))
        except Exception:
            # The function reads headers of clients, and no client must be able to
            # make a request fail.
            logger.exception("%s failed to find a client's address", conf.CLIENT_IP)
            return None
    return _forwarded_address(
        request.META.get("REMOTE_ADDR") or "",
        request.META.get("HTTP_X_FORWARDED_FOR", ""),
        trusted=tuple(conf.TRUSTED_PROXIES),
    )


def _forwarded_address(
    peer: str, forwarded_for: str, *, trusted: tuple[str, ...]
) -> IPAddress | None:
    """Return the first address from the right that isn't one of the site's proxies.

    Each proxy appends the address that it was called from. All entries to the left of
    the first untrusted address were sent by the client, and may be forged.
    """
    hops = [peer, *_hops(forwarded_for)]
    for passed, text in enumerate(hops):
        found = _parse_hop(text)
        if not _is_trusted(found, trusted):
            _report(found, passed=passed, has_forwarded=passed + 1 < len(hops))
            break
    else:
        # All are trusted.
        if not passed:
            _log_once(NO_HEADER, found)
    return None if found == UNIX else found


def _parse_hop(text: str) -> Hop:
    return UNIX if UNIX_SOCKET.fullmatch(text[:FORWARDED_LIMIT]) else parse_ip(text)


def _hops(forwarded_for: str) -> Iterator[str]:
    """Return the entries from the right, without empty ones."""
    hops = forwarded_for[-FORWARDED_LIMIT:].split(",")
    if len(forwarded_for) > FORWARDED_LIMIT:
        # The first entry is cut: the end of an address is another client's address.
        hops[0] = "unknown"
    return (hop for hop in reversed(hops) if hop.strip())


def _is_trusted(hop: Hop, trusted: tuple[str, ...]) -> bool:
    if hop is None:
        return False
    if hop == UNIX:
        return UNIX in trusted
    return any(hop in network for network in _networks(trusted))


@lru_cache(maxsize=8)
def _networks(trusted: tuple[str, ...]) -> tuple[IPNetwork, ...]:
    # Text that is no network is not trusted; a system check warns of it.
    networks = (parse_network(text) for text in trusted if text != UNIX)
    return tuple(network for network in networks if network is not None)


def _report(stopped_at: Hop, *, passed: int, has_forwarded: bool) -> None:
    """Log what the first hop that isn't trusted shows of a wrong setting."""
    if stopped_at == UNIX:
        _log_once(FROM_SOCKET)
    elif stopped_at is None:
        if passed:
            _log_once(NO_ADDRESS)
    elif has_forwarded and (stopped_at.is_private or stopped_at in SHARED):
        _log_once(FROM_PROXY, stopped_at)


def _log_once(message: str, *args: object) -> None:
    """Log once a process: a request after the other shows the same."""
    if message not in _logged:
        _logged.add(message)
        logger.warning(message, *args)
