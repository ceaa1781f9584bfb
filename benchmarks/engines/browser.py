"""A browser that makes whole requests, by WSGI as a server does."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X)"
ANDROID = "Mozilla/5.0 (Linux; Android 10; K)"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
CHROME = f"{WINDOWS} {WEBKIT} Chrome/140.0.0.0 Safari/537.36"
AGENTS = (
    CHROME,
    f"{CHROME} Edg/140.0.0.0",
    f"{MAC} {WEBKIT} Chrome/140.0.0.0 Safari/537.36",
    f"{MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
    f"{IPHONE} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
    "Mobile/15E148 Safari/604.1",
    f"{ANDROID} {WEBKIT} Chrome/140.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0",
)


class Browser:
    def __init__(self, *, agent: str = CHROME, ip: str = "203.0.113.7") -> None:
        self.session_key = ""
        self.about: dict[str, Any] = {"HTTP_USER_AGENT": agent, "REMOTE_ADDR": ip}

    def request(self, path: str, *, user: User | None = None) -> Callable[[], None]:
        """Return a function that makes the request, with the present cookie.

        ``user`` is the user that the page signs in.
        """
        environ = RequestFactory(**self.about).get(path).environ
        if self.session_key:
            name = settings.SESSION_COOKIE_NAME
            environ["HTTP_COOKIE"] = f"{name}={self.session_key}"
        return partial(self._send, {**environ, "benchmark.user": user})

    def sign_in(self, user: User) -> None:
        """Sign in and visit a page, so that activity is written and caches are warm."""
        self.request("/sign-in/", user=user)()
        self.request("/signed-in/")()

    def _send(self, environ: dict[str, Any]) -> None:
        response = _application()(dict(environ), _start_response)
        if response.status_code != 200:
            raise RuntimeError(f"{environ['PATH_INFO']}: {response.status_code}")
        response.close()
        cookie = response.cookies.get(settings.SESSION_COOKIE_NAME)
        if cookie is not None:
            self.session_key = cookie.value


@cache
def _application() -> WSGIHandler:
    return WSGIHandler()


def _start_response(
    status: str, headers: list[tuple[str, str]], error: object = None, /
) -> Callable[[bytes], object]:
    """Ignore the headers, which a server would send now."""
    return len
