"""The client columns of a row, as far as the settings allow to store them."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.db.models import Model

from wagtail_user_sessions.conf import conf

from . import geoip, user_agent
from .ip_address import parse_ip
from .location import Location
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
    """Return the columns that are compared to detect a change of the client.

    Client hints are not among them: hints alone are no change. The values are as they
    would be stored, so that a client never differs from its own row.
    """
    return {"ip": _stored_ip(client), "user_agent": _stored_user_agent(client)}


def has_changed(row: Model, columns: Mapping[str, Any]) -> bool:
    """Return whether one of these columns has another value in the row."""
    return any(
        getattr(row, name) != value and _normalized(row, name) != value
        for name, value in columns.items()
    )


def is_empty(row: Model) -> bool:
    """Return whether the client is unknown: the row was created outside a request."""
    return not has_changed(row, EMPTY)


def is_new_client(before: Any, after: Any) -> bool:
    """Return whether a row's known client was replaced by another one.

    ``before`` may have stored more of the same client than the settings now allow. That
    alone is no change.
    """
    known = Client(parse_ip(before.ip), before.user_agent)
    return not is_empty(before) and has_changed(after, identity_columns(known))


def client_columns(client: Client) -> dict[str, Any]:
    """Return all client columns. This parses the user agent and opens GeoIP."""
    device = user_agent.UserAgentInfo()
    if conf.USER_AGENT_STORAGE != "none":
        device = user_agent.parse_user_agent(client.user_agent, client.hints)
    # The place is looked up before the address is anonymised.
    place = geoip.locate(client.ip) if conf.LOCATION else Location()
    return {
        **identity_columns(client),
        "device_kind": device.kind.value,
        "browser": device.browser,
        "os": device.os,
        "city": place.city,
        "country": place.country,
    }


def changed_columns(row: Any, client: Client) -> dict[str, Any]:
    """Return the client columns that a client gives to a row of the same session.

    Chromium leaves out its client hints in some requests, such as those of a worker.
    While the user agent is the same, missing hints take nothing away that is known.
    """
    columns = client_columns(client)
    stored, hints = columns["user_agent"], client.hints
    if not stored or stored != row.user_agent or "Chrome/" not in client.user_agent:
        return columns
    for name, hint in {
        "browser": hints.brands,
        "os": hints.platform,
        "device_kind": hints.mobile or hints.platform,
    }.items():
        if not hint and getattr(row, name) != EMPTY[name]:
            del columns[name]
    return columns


def _normalized(row: Model, name: str) -> Any:
    value = getattr(row, name)
    if name == "ip" and value is not None:
        # PostgreSQL returns some addresses in another notation: ::192.0.2.1 for
        # ::c000:201.
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
