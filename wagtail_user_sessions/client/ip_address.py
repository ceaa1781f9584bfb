"""IP addresses: parsed from text, and that of a client behind the site's proxies."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterable, Iterator
from functools import lru_cache

from django.http import HttpRequest
from django.utils.module_loading import import_string

from wagtail_user_sessions.conf import conf

logger = logging.getLogger(__name__)

ADDRESS_LIMIT = 64
# The characters of X-Forwarded-For that are read, from its right end.
FORWARDED_LIMIT = 2048

UNIX = "unix"

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


def parse_ip(text: object) -> IPAddress | None:
    """Return the address in the text, without port, zone or IPv4 mapping.

    ``None`` if there is none, as in a proxy's "unknown".
    """
    if not isinstance(text, str) or len(text) > ADDRESS_LIMIT:
        return None
    return _parse_ip(text)


@lru_cache(maxsize=1024)
def _parse_ip(text: str) -> IPAddress | None:
    text = text.strip().strip('"')
    if text.startswith("["):  # [2001:db8::1]:443
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:  # 192.0.2.1:443
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def parse_network(text: str) -> IPNetwork | None:
    """Return the network in the text, or ``None``; its host bits may be set."""
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


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
        request.META.get("REMOTE_ADDR", ""),
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
    networks = _networks(trusted)
    address = parse_ip(peer)
    if address is None:
        if peer or UNIX not in trusted:
            return None
    elif not _is_in(address, networks):
        return address
    for hop in _hops(forwarded_for):
        address = parse_ip(hop)
        if address is None or not _is_in(address, networks):
            break
    return address


def _hops(forwarded_for: str) -> Iterator[str]:
    """Return the entries from the right, without empty ones."""
    hops = forwarded_for[-FORWARDED_LIMIT:].split(",")
    if len(forwarded_for) > FORWARDED_LIMIT:
        # The first entry is cut: the end of an address is another client's address.
        hops[0] = "unknown"
    return (hop for hop in reversed(hops) if hop.strip())


@lru_cache(maxsize=8)
def _networks(trusted: tuple[str, ...]) -> tuple[IPNetwork, ...]:
    # Text that is no network is not trusted; a system check warns of it.
    networks = (parse_network(text) for text in trusted if text != UNIX)
    return tuple(network for network in networks if network is not None)


def _is_in(address: IPAddress, networks: Iterable[IPNetwork]) -> bool:
    return any(address in network for network in networks)
