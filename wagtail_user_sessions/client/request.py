"""The client of a request, by its headers: the only reader of ``request.META``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from django.http import HttpRequest

from .ip_address import IPAddress
from .proxies import find_address
from .text import sanitize

USER_AGENT_LIMIT = 512
HINT_LIMIT = 256


@dataclass(frozen=True)
class ClientHints:
    """The low-entropy client hints; "" if the browser sends none.

    Source: https://wicg.github.io/ua-client-hints/
    """

    brands: str = ""
    platform: str = ""
    mobile: str = ""


@dataclass(frozen=True)
class Client:
    """The client of a request. ``ip`` is ``None`` if it isn't known."""

    ip: IPAddress | None = None
    user_agent: str = ""
    hints: ClientHints = ClientHints()

    @cached_property
    def ip_text(self) -> str | None:
        """The address in the usual notation."""
        return None if self.ip is None else str(self.ip)


def from_request(request: HttpRequest) -> Client:
    """Return the client of the request. Never raises, whatever the headers contain."""
    get = request.META.get
    return _client(
        find_address(request),
        get("HTTP_USER_AGENT", "")[:USER_AGENT_LIMIT],
        get("HTTP_SEC_CH_UA", "")[:HINT_LIMIT],
        get("HTTP_SEC_CH_UA_PLATFORM", "")[:HINT_LIMIT],
        get("HTTP_SEC_CH_UA_MOBILE", "")[:HINT_LIMIT],
    )


# Cached: a browser sends the same headers with each request.
@lru_cache(maxsize=1024)
def _client(
    ip: IPAddress | None, user_agent: str, brands: str, platform: str, mobile: str
) -> Client:
    return Client(
        ip=ip,
        user_agent=sanitize(user_agent, limit=USER_AGENT_LIMIT),
        hints=ClientHints(
            brands=sanitize(brands, limit=HINT_LIMIT),
            platform=sanitize(platform, limit=HINT_LIMIT),
            mobile=sanitize(mobile, limit=HINT_LIMIT),
        ),
    )
