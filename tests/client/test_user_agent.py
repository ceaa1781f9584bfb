"""Kinds and labels of devices, by the user agents of real ones."""

import logging
import re
from pathlib import Path
from re import _parser

import pytest

from wagtail_user_sessions.client import crawlers, products, programs, user_agent
from wagtail_user_sessions.client.request import ClientHints
from wagtail_user_sessions.client.user_agent import (
    DeviceKind,
    UserAgentInfo,
    device_label,
    parse_user_agent,
)

AGENTS = Path(__file__).parent / "agents.tsv"

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
LINUX = "Mozilla/5.0 (X11; Linux x86_64)"
ANDROID = "Mozilla/5.0 (Linux; Android 10; K)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X)"
IPAD = "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X)"
BLINK = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
WEBVIEW = "AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/140.0.7339.51"
COMPATIBLE = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible"

DESKTOPS = [
    (f"{WINDOWS} {BLINK} Safari/537.36", "Chrome on Windows"),
    (f"{MAC} {BLINK} Safari/537.36", "Chrome on macOS"),
    (f"{LINUX} {BLINK} Safari/537.36", "Chrome on Linux"),
    (
        f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {BLINK} Safari/537.36",
        "Chrome on ChromeOS",
    ),
    (
        f"{WINDOWS} AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36",
        "Chrome on Windows",
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:142.0) Gecko/20100101 Firefox/142.0",
        "Firefox on Windows",
    ),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:142.0) Gecko/20100101 Firefox/142.0",
        "Firefox on macOS",
    ),
    (
        "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0",
        "Firefox on Linux",
    ),
    (
        "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0",
        "Firefox on Linux",
    ),
    (
        "Mozilla/5.0 (X11; FreeBSD amd64; rv:142.0) Gecko/20100101 Firefox/142.0",
        "Firefox on FreeBSD",
    ),
    (f"{MAC} {WEBKIT} Version/18.6 Safari/605.1.15", "Safari on macOS"),
    (f"{WINDOWS} {BLINK} Safari/537.36 Edg/140.0.0.0", "Edge on Windows"),
    (f"{MAC} {BLINK} Safari/537.36 Edg/140.0.0.0", "Edge on macOS"),
    (f"{WINDOWS} {BLINK} Safari/537.36 Edge/18.17763", "Edge on Windows"),
    (f"{WINDOWS} {BLINK} Safari/537.36 OPR/121.0.0.0", "Opera on Windows"),
    (f"{WINDOWS} {BLINK} Safari/537.36 Vivaldi/7.5.3735.74", "Vivaldi on Windows"),
    (
        f"{WINDOWS} {BLINK} YaBrowser/25.8.0.0 Safari/537.36",
        "Yandex Browser on Windows",
    ),
    (f"{MAC} {WEBKIT} Version/18.6 Safari/605.1.15 Ddg/18.6", "DuckDuckGo on macOS"),
    (
        "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
        "Internet Explorer on Windows",
    ),
    # WebKit's port to Linux claims to be Safari, which doesn't exist for Linux.
    (f"{LINUX} {WEBKIT} Version/18.0 Safari/605.1.15", "Linux"),
]
MOBILES = [
    (f"{ANDROID} {BLINK} Mobile Safari/537.36", "Chrome on Android"),
    (
        f"{IPHONE} {WEBKIT} CriOS/140.0.7339.39 Mobile/15E148 Safari/604.1",
        "Chrome on iPhone",
    ),
    (f"{IPHONE} {WEBKIT} Version/18.6 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
    (f"{IPHONE} {WEBKIT} Version/26.0 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
    (
        "Mozilla/5.0 (Android 15; Mobile; rv:142.0) Gecko/142.0 Firefox/142.0",
        "Firefox on Android",
    ),
    (
        f"{IPHONE} {WEBKIT} FxiOS/142.0 Mobile/15E148 Safari/605.1.15",
        "Firefox on iPhone",
    ),
    (f"{ANDROID} {BLINK} Mobile Safari/537.36 EdgA/140.0.0.0", "Edge on Android"),
    (
        f"{IPHONE} {WEBKIT} Version/18.0 EdgiOS/139.0.3405.111 Mobile/15E148 Safari/604.1",
        "Edge on iPhone",
    ),
    (f"{ANDROID} {BLINK} Mobile Safari/537.36 OPR/91.0.0.0", "Opera on Android"),
    (
        f"{IPHONE} {WEBKIT} Version/18.5 Mobile/15E148 Safari/604.1 OPT/5.7.0",
        "Opera on iPhone",
    ),
    (
        "Opera/9.80 (Android; Opera Mini/7.5.33361/191.273; U; en) Presto/2.12.423 Version/12.16",
        "Opera on Android",
    ),
    (
        f"{ANDROID} AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
        "Samsung Internet on Android",
    ),
    (
        f"{IPHONE} {WEBKIT} Version/18.6 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15",
        "DuckDuckGo on iPhone",
    ),
    (
        "Mozilla/5.0 (Linux; Android 12; HarmonyOS; ALN-AL00) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.5735.196 HuaweiBrowser/16.0.2.300 Mobile Safari/537.36",
        "Huawei Browser on Android",
    ),
    # Apps that show pages.
    (
        f"Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UD1A; wv) {WEBVIEW} Mobile Safari/537.36",
        "Chrome on Android",
    ),
    (
        f"Mozilla/5.0 (Linux; Android 14; SM-S921B; wv) {WEBVIEW} Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/526.0.0.50.70;]",
        "Facebook on Android",
    ),
    (
        f"{IPHONE} {WEBKIT} Mobile/15E148 Instagram 395.0.0.24.70 (iPhone16,2; iOS 18_6; en_GB; scale=3.00)",
        "Instagram on iPhone",
    ),
    (f"{IPHONE} {WEBKIT} Mobile/15E148", "Safari on iPhone"),
    (
        f"{IPHONE} {WEBKIT} GSA/383.0.797833943 Mobile/15E148 Safari/604.1",
        "Google on iPhone",
    ),
    (
        f"{IPHONE} {WEBKIT} Mobile/15E148 MicroMessenger/8.0.61(0x18003d2f) NetType/WIFI",
        "WeChat on iPhone",
    ),
    ("Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/UD1A.230803.041)", "Android"),
    (
        "Mozilla/5.0 (Mobile; Nokia_2720; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5.2",
        "Firefox on KaiOS",
    ),
]
TABLETS = [
    (f"{IPAD} {WEBKIT} Version/16.6 Mobile/15E148 Safari/604.1", "Safari on iPad"),
    (
        f"{IPAD} {WEBKIT} CriOS/140.0.7339.39 Mobile/15E148 Safari/604.1",
        "Chrome on iPad",
    ),
    (f"{IPAD} {WEBKIT} FxiOS/142.0 Mobile/15E148 Safari/605.1.15", "Firefox on iPad"),
    # With the user agent of a Mac, by browsers that exist for iOS alone.
    (f"{MAC} {WEBKIT} CriOS/140 Version/11.1.1 Safari/605.1.15", "Chrome on iPad"),
    (f"{MAC} {WEBKIT} Version/18.0 EdgiOS/139.0 Safari/605.1.15", "Edge on iPad"),
    (f"{ANDROID} {BLINK} Safari/537.36", "Chrome on Android"),
    (
        "Mozilla/5.0 (Android 15; Tablet; rv:142.0) Gecko/142.0 Firefox/142.0",
        "Firefox on Android",
    ),
    (
        f"{ANDROID} AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Safari/537.36",
        "Samsung Internet on Android",
    ),
    (
        "Mozilla/5.0 (Linux; Android 11; KFTRWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/140.1.1 like Chrome/140.0.7339.51 Safari/537.36",
        "Amazon Silk on Android",
    ),
]
BOTS = [
    (
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Googlebot",
    ),
    (
        f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) {BLINK} Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Googlebot",
    ),
    (
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "bingbot",
    ),
    (f"{COMPATIBLE}; GPTBot/1.2; +https://openai.com/gptbot", "GPTBot"),
    (f"{COMPATIBLE}; ChatGPT-User/1.0; +https://openai.com/bot", "ChatGPT-User"),
    (f"{COMPATIBLE}; ClaudeBot/1.0; +claudebot@anthropic.com)", "ClaudeBot"),
    (
        "Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; Bytespider; spider-feedback@bytedance.com)",
        "Bytespider",
    ),
    (
        f"{MAC} {WEBKIT} Version/17.4 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)",
        "Applebot",
    ),
    ("CCBot/2.0 (https://commoncrawl.org/faq/)", "CCBot"),
    ("Twitterbot/1.0", "Twitterbot"),
]
UNKNOWN = [
    ("curl/8.5.0", "curl"),
    ("Wget/1.21.4", "Wget"),
    ("python-requests/2.32.3", "Python Requests"),
    ("PostmanRuntime/7.43.0", "PostmanRuntime"),
    (
        "Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/3.0 Chrome/76.0.3809.146 TV Safari/537.36",
        "Samsung Internet on Tizen",
    ),
    (
        f"Mozilla/5.0 (Web0S; Linux/SmartTV) {BLINK} Safari/537.36 WebAppManager",
        "Chrome on webOS",
    ),
    (
        f"Mozilla/5.0 (Linux; Android 12; BRAVIA 4K VH2 Build/STT2.221215.001) {BLINK} Safari/537.36",
        "Chrome on Android",
    ),
    (
        f"Mozilla/5.0 (PlayStation; PlayStation 5/9.00) {WEBKIT} Version/16.4 Safari/605.1.15",
        "PlayStation 5",
    ),
    (
        "Mozilla/5.0 (X11; Linux x86_64; Quest 3) AppleWebKit/537.36 (KHTML, like Gecko) OculusBrowser/39.1.0 Chrome/136.0.7103.177 VR Safari/537.36",
        "Meta Quest Browser on Android",
    ),
    *(
        (text, "Unknown device")
        for text in ("", "-", "Mozilla/5.0", "💥", "' OR 1=1 --")
    ),
    ("<script>alert(1)</script>", "Unknown device"),
    ("${jndi:ldap://x/a}", "Unknown device"),
    ("A" * 512, "Unknown device"),
]
TABLE = [
    *((agent, DeviceKind.DESKTOP, text) for agent, text in DESKTOPS),
    *((agent, DeviceKind.MOBILE, text) for agent, text in MOBILES),
    *((agent, DeviceKind.TABLET, text) for agent, text in TABLETS),
    *((agent, DeviceKind.BOT, text) for agent, text in BOTS),
    *((agent, DeviceKind.UNKNOWN, text) for agent, text in UNKNOWN),
    *(
        (agent, kind, text)
        for kind, text, agent in (
            line.split("\t")
            for line in AGENTS.read_text().splitlines()
            if line and not line.startswith("#")
        )
    ),
]
# Products whose names have a number.
NUMBERED = re.compile(r"PlayStation \d|Nintendo (?:Switch 2|3DS)|k6|1Password")


def label_of(device):
    return device_label(device.kind, device.browser, device.os)


@pytest.mark.parametrize(("agent", "kind", "text"), TABLE)
def test_a_user_agent_gives_kind_and_label_of_its_device(agent, kind, text):
    device = parse_user_agent(agent)
    assert (device.kind, label_of(device)) == (kind, text)


@pytest.mark.parametrize(("agent", "kind", "text"), TABLE)
def test_a_device_has_no_version_in_its_names(agent, kind, text):
    device = parse_user_agent(agent)
    names = NUMBERED.sub("", f"{device.browser} {device.os} {text}")
    assert not any(character.isdigit() for character in names)


def test_browser_and_system_are_families():
    assert parse_user_agent(DESKTOPS[0][0]) == UserAgentInfo(
        DeviceKind.DESKTOP, "Chrome", "Windows"
    )
    assert parse_user_agent(TABLETS[0][0]) == UserAgentInfo(
        DeviceKind.TABLET, "Safari", "iOS"
    )
    assert parse_user_agent("") == UserAgentInfo(DeviceKind.UNKNOWN, "", "")


MODULES = (crawlers, products, programs, user_agent)


def patterns_of(value):
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from patterns_of(part)


def repetitions_of(parsed, depth=0):
    """Yield how many repetitions without a bound each repetition is inside of."""
    for operator, argument in parsed:
        inside = depth
        if str(operator) in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            inside += argument[1] > 20
            yield inside
        for part in argument if isinstance(argument, tuple | list) else [argument]:
            branches = part if isinstance(part, list) else [part]
            for branch in branches:
                if isinstance(branch, _parser.SubPattern):
                    yield from repetitions_of(branch, inside)


@pytest.mark.parametrize(
    "pattern",
    sorted(
        {
            pattern
            for module in MODULES
            for value in vars(module).values()
            for pattern in patterns_of(value)
        },
        key=lambda pattern: pattern.pattern,
    ),
    ids=lambda pattern: pattern.pattern,
)
def test_no_pattern_repeats_a_repetition(pattern):
    # Such as (a+)+, whose time doubles with each character.
    parsed = _parser.parse(pattern.pattern, pattern.flags)
    assert max(repetitions_of(parsed), default=0) <= 1


def test_a_repeated_repetition_is_seen():
    for pattern in (r"(a+)+", r"x(?:b?a*c)*", r"(?:a|(b{2,})d)+"):
        assert max(repetitions_of(_parser.parse(pattern))) == 2


def test_hints_rename_no_device_that_has_a_name_of_its_own():
    xbox = (
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) {BLINK} Edg/140.0"
    )
    hints = ClientHints(f'{GREASE}, "Microsoft Edge";v="140"', '"Windows"', "?0")
    assert label_of(parse_user_agent(xbox, hints)) == "Edge on Xbox"


@pytest.mark.parametrize(
    ("token", "text"),
    [
        ("Teams/25060.205.3499.6849/49", "Microsoft Teams on Windows"),
        ("OneOutlook/1.20241101.200", "Outlook on Windows"),
        ("SomethingElse/1.0", "Edge on Windows"),
    ],
)
def test_the_hints_of_an_engine_rename_no_program_that_is_made_of_it(token, text):
    hints = ClientHints(f'{GREASE}, "Microsoft Edge";v="140"', '"Windows"', "?0")
    agent = f"{WINDOWS} {BLINK} Safari/537.36 Edg/140.0.0.0 {token}"
    assert label_of(parse_user_agent(agent, hints)) == text


def test_the_table_has_each_class_and_each_agent_once():
    lines = AGENTS.read_text().splitlines()
    agents = [line.split("\t")[2] for line in lines if "\t" in line]
    assert len(agents) == len(set(agents)) >= 150
    assert {line[2:] for line in lines[1:] if line.startswith("# ")} >= {
        *("phones", "tablets", "desktops", "consoles", "televisions", "headsets"),
        *("in-app browsers", "native apps", "command-line", "crawlers", "assistants"),
    }


# Client hints

CHROMIUM = f"{LINUX} {BLINK} Safari/537.36"
GREASE = '"Not=A?Brand";v="24", "Chromium";v="140"'


@pytest.mark.parametrize(
    ("brand", "expected"),
    [
        ("Google Chrome", "Chrome"),
        ("Microsoft Edge", "Edge"),
        ("Brave", "Brave"),
        ("Opera GX", "Opera"),
        ("Vivaldi", "Vivaldi"),
        ("YaBrowser", "Yandex Browser"),
        ("Samsung Internet", "Samsung Internet"),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_the_brand_of_the_hints_is_believed_over_the_user_agent(
    brand, expected, is_first
):
    own = f'"{brand}";v="140"'
    hints = ClientHints(brands=f"{own}, {GREASE}" if is_first else f"{GREASE}, {own}")
    assert parse_user_agent(CHROMIUM, hints).browser == expected


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ('"Windows"', "Windows"),
        ('"macOS"', "macOS"),
        ('"Chrome OS"', "ChromeOS"),
        ('"Android"', "Android"),
        ("Windows", "Windows"),
    ],
)
def test_the_platform_of_the_hints_is_believed_over_the_user_agent(platform, expected):
    assert parse_user_agent(CHROMIUM, ClientHints(platform=platform)).os == expected


def test_the_hint_of_a_mobile_device_is_believed_over_the_user_agent():
    android = f"{ANDROID} {BLINK} Safari/537.36"
    assert parse_user_agent(android, ClientHints(mobile="?0")).kind == DeviceKind.TABLET
    assert parse_user_agent(android, ClientHints(mobile="?1")).kind == DeviceKind.MOBILE


def test_hints_describe_a_device_that_sends_no_user_agent():
    hints = ClientHints(f'{GREASE}, "Brave";v="140"', '"Windows"', "?0")
    assert parse_user_agent("", hints) == UserAgentInfo(
        DeviceKind.DESKTOP, "Brave", "Windows"
    )


@pytest.mark.parametrize(
    "hints",
    [
        ClientHints(),
        ClientHints(brands=GREASE, platform='"Unknown"', mobile="?0"),
        ClientHints(brands='"', platform='""', mobile="?"),
        ClientHints(
            brands='"Nobody\'s Browser";v="1"', platform='"Plan 9"', mobile="yes"
        ),
        ClientHints(brands="Brave", platform="\\", mobile="?01"),
        ClientHints(brands='"' * 256, platform=";" * 256, mobile="?" * 256),
    ],
)
@pytest.mark.parametrize(("agent", "kind", "text"), TABLE[::5])
def test_hints_that_are_absent_unknown_or_garbled_mean_nothing(
    agent, kind, text, hints
):
    assert parse_user_agent(agent, hints) == parse_user_agent(agent)


def test_hints_make_no_browser_of_a_bot():
    hints = ClientHints(f'{GREASE}, "Google Chrome";v="140"', '"Windows"', "?0")
    assert parse_user_agent(BOTS[0][0], hints) == UserAgentInfo(
        DeviceKind.BOT, "Googlebot", ""
    )


# Labels


@pytest.mark.parametrize(
    ("kind", "browser", "os", "text"),
    [
        ("desktop", "Chrome", "Windows", "Chrome on Windows"),
        ("mobile", "Safari", "iOS", "Safari on iPhone"),
        ("tablet", "Safari", "iOS", "Safari on iPad"),
        ("mobile", "", "iOS", "iPhone"),
        ("unknown", "Safari", "iOS", "Safari on iOS"),
        ("desktop", "Firefox", "", "Firefox"),
        ("desktop", "", "Linux", "Linux"),
        ("bot", "Googlebot", "", "Googlebot"),
        ("unknown", "", "", "Unknown device"),
    ],
)
def test_device_label_has_what_is_known(kind, browser, os, text):
    assert device_label(kind, browser, os) == text


# What a client may send


@pytest.mark.parametrize(
    "agent",
    ["Peapod/²", "Peapod/².³.¹", "bPod BMID/²", "philpodder/1.1.²", "Player FM BMID/٣"],
)
def test_digits_that_python_cannot_count_with_raise_nothing(agent, caplog):
    parse_user_agent.cache_clear()
    assert parse_user_agent(agent).os == ""
    assert not caplog.records


def test_a_parser_that_fails_leaves_the_device_unknown(monkeypatch, caplog):
    def fail(text):
        raise ZeroDivisionError

    parse_user_agent.cache_clear()
    monkeypatch.setattr(user_agent.user_agents, "parse", fail)
    with caplog.at_level(logging.ERROR):
        assert parse_user_agent("a user agent that nobody else has") == UserAgentInfo()
    parse_user_agent.cache_clear()
    assert len(caplog.records) == 1
    assert "nobody" not in caplog.records[0].getMessage()


@pytest.mark.parametrize(
    "agent", [f"{'x' * 500}bot/1.0", "https://example.com/bot", f"CCBot{'/' * 200} bot"]
)
def test_a_family_fits_its_column_and_is_no_piece_of_an_address(agent):
    device = parse_user_agent(agent)
    assert len(device.browser) <= user_agent.FAMILY_LIMIT
    assert "/" not in device.browser


def test_a_user_agent_that_comes_again_is_not_parsed_again(monkeypatch):
    agent = f"{WINDOWS} {BLINK} Safari/537.36"
    expected = parse_user_agent(agent)
    monkeypatch.delattr(user_agent.user_agents, "parse")
    assert parse_user_agent(agent) == expected
