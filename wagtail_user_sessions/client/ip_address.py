"""IP addresses and networks, parsed from text."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

ADDRESS_LIMIT = 64
# The bits before an IPv4 address that is mapped into IPv6.
MAPPED_PREFIX = 96
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
    """Return the network in the text, or ``None``; its host bits may be set.

    One of IPv4 that is mapped into IPv6 is returned as that of IPv4.
    """
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= MAPPED_PREFIX:
        return ipaddress.ip_network((mapped, network.prefixlen - MAPPED_PREFIX))
    return network
