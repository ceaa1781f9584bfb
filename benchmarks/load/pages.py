"""Requests of pages by a connection that stays open."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

from . import ports

TIMEOUT = 30
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass(frozen=True)
class Answer:
    # Seconds of the monotonic clock: before the request was sent, and at the answer.
    started: float
    received: float
    # 0 if no answer came.
    status: int = 0
    content: dict[str, Any] = field(default_factory=dict)
    cookie: str | None = None
    method: str = "GET"

    @property
    def user(self) -> str | None:
        return self.content.get("user")


class Connection:
    def __init__(self, port: int) -> None:
        self.http = http.client.HTTPConnection(ports.HOST, port, timeout=TIMEOUT)

    def ask(
        self, path: str, *, cookie: str | None = None, method: str = "GET"
    ) -> Answer:
        headers = {"User-Agent": AGENT}
        if cookie:
            headers["Cookie"] = f"sessionid={cookie}"
        started = time.monotonic()
        try:
            self.http.request(method, path, headers=headers)
            response = self.http.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            self.http.close()
            return Answer(started, time.monotonic(), method=method)
        received = time.monotonic()
        content = json.loads(body) if response.status == 200 else {}
        return Answer(
            started, received, response.status, content, _cookie(response), method
        )


def _cookie(response: http.client.HTTPResponse) -> str | None:
    cookies = SimpleCookie(response.getheader("Set-Cookie", ""))
    return cookies["sessionid"].value if "sessionid" in cookies else None
