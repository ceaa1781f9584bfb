"""What device a client claims to be. A user agent is a claim, not a proof."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import user_agents
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .client import Hints
from .text import clean

FAMILY_LIMIT = 64


class Kind(models.TextChoices):
    DESKTOP = "desktop", _("desktop")
    MOBILE = "mobile", _("mobile")
    TABLET = "tablet", _("tablet")
    BOT = "bot", _("bot")
    UNKNOWN = "unknown", _("unknown")


@dataclass(frozen=True)
class Device:
    """A device: families only, for the versions that browsers tell are frozen."""

    kind: Kind = Kind.UNKNOWN
    browser: str = ""
    os: str = ""


# The names of ua-parser's families that people know by another name. Those of
# a phone's browser are the desktop's: what differs is the kind of device.
BROWSERS = {
    "Other": "",
    "Mobile Safari": "Safari",
    "Mobile Safari UI/WKWebView": "Safari",
    "Chrome Mobile": "Chrome",
    "Chrome Mobile iOS": "Chrome",
    "Chrome Mobile WebView": "Chrome",
    "HeadlessChrome": "Chrome",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "Edge Mobile": "Edge",
    "Opera Mobile": "Opera",
    "Opera Mini": "Opera",
    "IE": "Internet Explorer",
    "IE Mobile": "Internet Explorer",
}
SYSTEMS = {
    "Other": "",
    "Mac OS X": "macOS",
    "Mac OS": "macOS",
    "Chrome OS": "ChromeOS",
    "Chromium OS": "ChromeOS",
}
DESKTOP_SYSTEMS = {"Windows", "macOS", "Linux", "ChromeOS"}
# Brands of Sec-CH-UA under the names of the families above.
BRANDS = {
    "Google Chrome": "Chrome",
    "Microsoft Edge": "Edge",
    "Opera": "Opera",
    "Opera GX": "Opera",
    "Brave": "Brave",
    "Vivaldi": "Vivaldi",
    "Samsung Internet": "Samsung Internet",
    "YaBrowser": "Yandex Browser",
    "DuckDuckGo": "DuckDuckGo",
}
PLATFORMS = {
    "Windows": "Windows",
    "macOS": "macOS",
    "Linux": "Linux",
    "Android": "Android",
    "iOS": "iOS",
    "Chrome OS": "ChromeOS",
    "Chromium OS": "ChromeOS",
}
BRAND = re.compile(r'"([^"]*)"\s*;\s*v="')


@lru_cache(maxsize=1024)
def describe(user_agent: str, hints: Hints = Hints()) -> Device:  # noqa: B008
    """The device that a user agent and the client hints speak of.

    Hints, where a browser sends them, are believed over its user agent; their
    absence means nothing. ``user_agent`` is expected to be capped: parsing
    costs time by its length.
    """
    parsed = user_agents.parse(user_agent)
    if parsed.is_bot:
        return Device(Kind.BOT, _family(parsed.browser.family, BROWSERS))
    device = Device(
        browser=_brand(hints) or _family(parsed.browser.family, BROWSERS),
        os=PLATFORMS.get(hints.platform.strip('"'))
        or _family(parsed.os.family, SYSTEMS),
    )
    return Device(_kind(parsed, device, hints), device.browser, device.os)


def label(kind: str, browser: str, os: str) -> str:
    """A device in a person's words, such as "Safari on iPhone"."""
    if os == "iOS" and kind in {Kind.MOBILE, Kind.TABLET}:
        os = "iPad" if kind == Kind.TABLET else "iPhone"
    if browser and os:
        return gettext("%(browser)s on %(system)s") % {"browser": browser, "system": os}
    return browser or os or gettext("Unknown device")


def _family(name: str, known_names: dict[str, str]) -> str:
    return clean(known_names.get(name, name), limit=FAMILY_LIMIT)


def _brand(hints: Hints) -> str:
    for brand in BRAND.findall(hints.brands):
        if brand in BRANDS:
            return BRANDS[brand]
    return ""


def _kind(parsed: user_agents.parsers.UserAgent, device: Device, hints: Hints) -> Kind:
    if parsed.is_tablet and hints.mobile != "?1":
        return Kind.TABLET
    if parsed.is_mobile or hints.mobile == "?1":
        return Kind.MOBILE
    if parsed.is_pc or device.os in DESKTOP_SYSTEMS:
        return Kind.DESKTOP
    return Kind.UNKNOWN
