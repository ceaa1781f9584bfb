"""The device that a client claims to be. A user agent is a claim, not a proof."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from functools import lru_cache

import user_agents
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from user_agents.parsers import UserAgent as Parsed

from . import crawlers, products, programs
from .request import ClientHints
from .text import sanitize

logger = logging.getLogger(__name__)

FAMILY_LIMIT = 64


class DeviceKind(models.TextChoices):
    DESKTOP = "desktop", _("desktop")
    MOBILE = "mobile", _("mobile")
    TABLET = "tablet", _("tablet")
    BOT = "bot", _("bot")
    UNKNOWN = "unknown", _("unknown")


@dataclass(frozen=True)
class UserAgentInfo:
    """A device, without versions: those that browsers send are frozen."""

    kind: DeviceKind = DeviceKind.UNKNOWN
    browser: str = ""
    os: str = ""


# Families of ua-parser that people know by another name. A browser has the same name
# on a phone as on a desktop: only the kind of device differs.
BROWSERS = {
    "Other": "",
    "Android": "",
    # WebKit without the name of a browser: Mail has shown pages so, and other apps do.
    "Apple Mail": "",
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
    "Opera Touch": "Opera",
    "DuckDuckGo Mobile": "DuckDuckGo",
    "Ecosia Android": "Ecosia",
    "Ecosia iOS": "Ecosia",
    "IE": "Internet Explorer",
    "IE Mobile": "Internet Explorer",
    "MiuiBrowser": "Mi Browser",
    "Oculus Browser": "Meta Quest Browser",
    "QQ Browser Mobile": "QQ Browser",
    "VivoBrowser": "Vivo Browser",
    "WeChat Browser": "WeChat",
}
# Programs that the library takes for crawlers.
SCRIPTS = {"Java", "Python-urllib", "node-fetch", "got"}
# Tools that name the system, and yet are no desktop's browser.
TOOLS = {"Wget", "curl"}
# Browsers that devices with one name have, too.
KNOWN_BROWSERS = {"Chrome", "Edge", "Firefox", "Opera", "Samsung Internet"}
SYSTEMS = {
    "Other": "",
    "Mac OS X": "macOS",
    "Mac OS": "macOS",
    "Chrome OS": "ChromeOS",
    "Chromium OS": "ChromeOS",
    "Web0S": "webOS",
    # Browsers no longer send the distribution, and it doesn't help users to tell
    # their devices apart.
    "Arch Linux": "Linux",
    "CentOS": "Linux",
    "Debian": "Linux",
    "Fedora": "Linux",
    "Gentoo": "Linux",
    "Linux Mint": "Linux",
    "Mageia": "Linux",
    "Mandriva": "Linux",
    "Red Hat": "Linux",
    "SUSE": "Linux",
    "Slackware": "Linux",
    "Ubuntu": "Linux",
}
DESKTOP_SYSTEMS = {
    *("Windows", "macOS", "Linux", "ChromeOS", "Haiku"),
    *("FreeBSD", "NetBSD", "OpenBSD", "DragonFly", "Solaris"),
}
MOBILE_SYSTEMS = {"Android", "iOS", "KaiOS"}
# Systems that the library doesn't know, or takes for Linux.
NAMED_SYSTEMS = ("visionOS", "HarmonyOS", "webOS", "Haiku")
# On other systems, a browser that calls itself Safari is only built on WebKit.
SAFARI_SYSTEMS = {"iOS", "macOS", "Windows"}
# Brands of Sec-CH-UA, with the names of the families above.
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
    "Whale": "Whale",
    "Avast Secure Browser": "Avast Secure Browser",
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
# Browsers of iOS that request desktop pages, and so send the user agent of a Mac, as
# most do on an iPad.
IOS_AS_MAC = re.compile(r"\b(?:CriOS|EdgiOS|FxiOS|GSA)/")
# A tablet of Apple's, whatever page it requests.
IPAD = re.compile(r"\biPad(?:OS)?(?![a-z])")


@lru_cache(maxsize=1024)
def parse_user_agent(
    user_agent: str,
    hints: ClientHints = ClientHints(),  # noqa: B008
) -> UserAgentInfo:
    """Return the device that a user agent and the client hints describe.

    Hints take precedence over the user agent; their absence means nothing.
    ``user_agent`` must be capped by the caller: parsing takes time by its length.
    Never raises.
    """
    try:
        # Only ASCII has a meaning here, and the library fails at digits of other
        # scripts, such as "²".
        parsed = user_agents.parse(user_agent.encode("ascii", "ignore").decode())
        return _parse(parsed, hints)
    except Exception:
        # The library has a thousand patterns, and no client must be able to make a
        # sign-in fail.
        logger.exception("A user agent of %d characters failed", len(user_agent))
        return UserAgentInfo()


def device_label(kind: str, browser: str, os: str) -> str:
    """Return the name of a device for people, such as "Safari on iPhone"."""
    if os == "iOS" and kind in {DeviceKind.MOBILE, DeviceKind.TABLET}:
        os = "iPad" if kind == DeviceKind.TABLET else "iPhone"
    if browser and os:
        return gettext("%(browser)s on %(system)s") % {"browser": browser, "system": os}
    return browser or os or gettext("Unknown device")


def _parse(parsed: Parsed, hints: ClientHints) -> UserAgentInfo:
    text = parsed.ua_string
    if bot := _bot(parsed):
        return UserAgentInfo(DeviceKind.BOT, bot)
    browser = _browser(parsed, hints)
    if device := products.find_device(text):
        has_browser = device not in products.ONE_NAME and browser in KNOWN_BROWSERS
        is_reader = device in products.READERS
        kind = DeviceKind.TABLET if is_reader else DeviceKind.UNKNOWN
        return UserAgentInfo(kind, browser if has_browser else "", device)
    if (kind_name := products.find_harmony_kind(text)) is not None:
        # Its engine calls itself Chrome, which there is none of.
        browser = "" if browser == "Chrome" else browser
        return UserAgentInfo(DeviceKind(kind_name), browser, "HarmonyOS")
    system = _system(parsed, hints)
    if browser == "Safari" and system not in SAFARI_SYSTEMS:
        browser = ""
    return UserAgentInfo(_kind(parsed, system, hints), browser, system)


def _bot(parsed: Parsed) -> str:
    """Return the name of a crawler, or of an assistant that fetches for somebody."""
    text = parsed.ua_string
    if programs.is_app_of_apple(text) or programs.is_electron(text):
        # An app of people, even one with "bot" in its name.
        return ""
    if bot := crawlers.find_crawler(text):
        return _family(bot, BROWSERS) or "bot"
    if parsed.is_bot and parsed.browser.family not in SCRIPTS:
        return _family(parsed.browser.family, BROWSERS)
    return "bot" if crawlers.has_bare_word(text) else ""


def _browser(parsed: Parsed, hints: ClientHints) -> str:
    family = _family(parsed.browser.family, BROWSERS)
    program = programs.find_program(parsed.ua_string, family)
    # A program that is made of a browser has the hints of that browser.
    return sanitize(program, limit=FAMILY_LIMIT) or _brand(hints) or family


def _system(parsed: Parsed, hints: ClientHints) -> str:
    text = parsed.ua_string
    if programs.is_app_of_mac(text):
        return "macOS"
    system = PLATFORMS.get(hints.platform.strip('"'))
    system = system or _family(parsed.os.family, SYSTEMS)
    if system in {"", "macOS"} and (IPAD.search(text) or IOS_AS_MAC.search(text)):
        return "iOS"
    if system in {"", "Linux"}:
        system = next((name for name in NAMED_SYSTEMS if name in text), system)
    return system


def _family(name: str, known_names: dict[str, str]) -> str:
    name = known_names.get(name, name)
    # With a slash it is a piece of a URL, which the library took for a name.
    return "" if "/" in name else sanitize(name, limit=FAMILY_LIMIT)


def _brand(hints: ClientHints) -> str:
    for brand in BRAND.findall(hints.brands):
        if brand in BRANDS:
            return BRANDS[brand]
    return ""


def _kind(parsed: Parsed, system: str, hints: ClientHints) -> DeviceKind:
    if products.is_television(parsed.ua_string) or parsed.browser.family in TOOLS:
        return DeviceKind.UNKNOWN
    if hints.mobile == "?1":
        return DeviceKind.MOBILE
    if _is_tablet(parsed, system):
        return DeviceKind.TABLET
    if not system and not parsed.ua_string.startswith(("Mozilla/", "Opera/")):
        # A script: the library takes some for old phones.
        return DeviceKind.UNKNOWN
    if system != "macOS" and (parsed.is_mobile or system in MOBILE_SYSTEMS):
        return DeviceKind.MOBILE
    if parsed.is_pc or system in DESKTOP_SYSTEMS:
        return DeviceKind.DESKTOP
    return DeviceKind.UNKNOWN


def _is_tablet(parsed: Parsed, system: str) -> bool:
    """Return whether it is a tablet: only phones send "Mobile"."""
    if system == "Android":
        # Only browsers keep to this convention; apps name the model.
        if parsed.ua_string.startswith("Mozilla/"):
            return "Mobile" not in parsed.ua_string
        return products.is_tablet_model(parsed.ua_string)
    is_ios_as_mac = system == "iOS" and "Macintosh" in parsed.ua_string
    is_ipad = system == "iOS" and bool(IPAD.search(parsed.ua_string))
    return parsed.is_tablet or is_ios_as_mac or is_ipad
