"""What a row keeps of its client: the columns, as the settings allow them."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.db.models import Model

from wagtail_user_sessions.conf import conf

from . import geoip, user_agent
from .ip_address import parse_ip
from .request import Client

EMPTY: Mapping[str, str | None] = {
    "ip": None,
    "user_agent": "",
    "device_kind": user_agent.DeviceKind.UNKNOWN.value,
    "browser": "",
    "os": "",
    "city": "",
    "country": "",
}


def identity_columns(client: Client) -> dict[str, Any]:
    """The columns by which a change of client is told: hints alone are none.

    As they are stored, so that what is stored never differs from itself.
    """
    return {"ip": _stored_ip(client), "user_agent": _stored_user_agent(client)}


def has_changed(row: Model, columns: Mapping[str, Any]) -> bool:
    return any(
        getattr(row, name) != value and _known(row, name) != value
        for name, value in columns.items()
    )


def is_empty(row: Model) -> bool:
    """Whether nothing is known of the client: the row was born outside a request."""
    return not has_changed(row, EMPTY)


def is_new_client(before: Any, after: Any) -> bool:
    """Whether a row that knew its client has another one now.

    It hasn't if it only kept more of the same one than the settings now allow.
    """
    known = Client(parse_ip(before.ip), before.user_agent)
    return not is_empty(before) and has_changed(after, identity_columns(known))


def client_columns(client: Client) -> dict[str, Any]:
    """All columns of the client. This parses the user agent and opens GeoIP."""
    device = user_agent.UserAgentInfo()
    if conf.USER_AGENT_STORAGE != "none":
        device = user_agent.parse_user_agent(client.user_agent, client.hints)
    # The place is looked up before the address is anonymised.
    place = geoip.locate(client.ip) if conf.LOCATION else geoip.Location()
    return {
        **identity_columns(client),
        "device_kind": device.kind.value,
        "browser": device.browser,
        "os": device.os,
        "city": place.city,
        "country": place.country,
    }


def _known(row: Model, name: str) -> Any:
    value = getattr(row, name)
    if name == "ip" and value is not None:
        # PostgreSQL writes some addresses otherwise: ::192.0.2.1 for ::c000:201.
        return str(ipaddress.ip_address(value))
    return value


def _stored_ip(client: Client) -> str | None:
    ip, storage = client.ip, conf.IP_STORAGE
    if ip is None or storage == "none":
        return None
    if storage == "full":
        return client.ip_text
    prefix = 24 if ip.version == 4 else 48
    return str(ipaddress.ip_network((ip, prefix), strict=False).network_address)


def _stored_user_agent(client: Client) -> str:
    storage = conf.USER_AGENT_STORAGE
    if storage == "full":
        return client.user_agent
    if storage == "families":
        device = user_agent.parse_user_agent(client.user_agent)
        return "/".join(filter(None, (device.browser, device.os)))
    return ""
