"""The accounts of the demo, and their sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

CHROME_ON_WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"
)
EDGE_ON_WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0"
)
CHROME_ON_ANDROID = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36"
)
CHROME_ON_ANDROID_TABLET = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"
)
FIREFOX_ON_LINUX = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
)
SAFARI_ON_MAC = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/26.1 Safari/605.1.15"
)
SAFARI_ON_IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1"
)
SAFARI_ON_IPAD = (
    "Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.7 Mobile/15E148 Safari/604.1"
)


@dataclass(frozen=True)
class Visit:
    """A session; both times are ages."""

    user_agent: str
    ip: str
    signed_in: timedelta
    last_activity: timedelta
    # The name that its user gave it.
    name: str = ""
    ends_with_browser: bool = False


@dataclass(frozen=True)
class Account:
    username: str
    name: str
    visits: tuple[Visit, ...]
    group: str = ""
    is_superuser: bool = False

    @property
    def password(self) -> str:
        return f"{self.username}-demo"


ACCOUNTS = (
    Account(
        "admin",
        "Ada Admin",
        (
            Visit(
                FIREFOX_ON_LINUX,
                "89.160.20.112",
                timedelta(days=2),
                timedelta(minutes=4),
            ),
            Visit(
                SAFARI_ON_IPHONE, "81.2.69.160", timedelta(days=9), timedelta(hours=20)
            ),
        ),
        is_superuser=True,
    ),
    Account(
        "editor",
        "Edith Editor",
        (
            Visit(
                EDGE_ON_WINDOWS, "8.8.8.8", timedelta(hours=7), timedelta(minutes=31)
            ),
            Visit(SAFARI_ON_MAC, "2a02:8108::1f", timedelta(days=5), timedelta(days=1)),
        ),
        group="Editors",
    ),
    Account(
        "vera",
        "Vera Visitor",
        (
            Visit(
                CHROME_ON_WINDOWS, "81.2.69.142", timedelta(days=1), timedelta(hours=2)
            ),
            Visit(
                SAFARI_ON_IPHONE, "2001:db8::53", timedelta(days=6), timedelta(hours=9)
            ),
            Visit(SAFARI_ON_IPAD, "203.0.113.9", timedelta(days=11), timedelta(days=4)),
            # At home, behind the same address as the computer.
            Visit(
                CHROME_ON_ANDROID_TABLET,
                "81.2.69.142",
                timedelta(days=4),
                timedelta(minutes=18),
                name="Kitchen tablet",
            ),
        ),
    ),
    Account(
        "victor",
        "Victor Visitor",
        (
            Visit(
                CHROME_ON_ANDROID, "1.1.1.1", timedelta(days=3), timedelta(minutes=55)
            ),
            Visit(
                FIREFOX_ON_LINUX, "198.51.100.7", timedelta(days=12), timedelta(days=8)
            ),
            Visit(
                EDGE_ON_WINDOWS,
                "192.0.2.44",
                timedelta(hours=6),
                timedelta(hours=5),
                ends_with_browser=True,
            ),
        ),
    ),
)
