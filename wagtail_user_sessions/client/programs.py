"""Browsers and apps that the library of user agents takes for others."""

from __future__ import annotations

import re
from urllib.parse import unquote

# A name before a version, such as "Slack/4.41". Each run of characters is tried once.
TOKEN = re.compile(r"(?<![\w.%-])([A-Za-z0-9][\w.%-]*+)/v?\d")
COMMENT = re.compile(r"\([^()]*\)")
# Names that are no program's own: of engines, of what they are compatible with, and
# of what apps say of the network and the language.
ENGINES = {
    *("mozilla", "applewebkit", "chrome", "chromium", "electron", "safari", "gecko"),
    *("version", "mobile", "build", "edg", "edga", "arkweb", "khtml", "webview"),
    *("nettype", "language", "channel", "jssdk", "xweb", "mmwebsdk", "mmwebid"),
    *("bytedancewebview", "ttwebview", "app_version", "appname", "region", "sdk"),
}
# Programs by the token that they append, in lower case, with the names that people
# know. They are believed over that of the browser that they are made of.
NAMES = {
    "1password": "1Password",
    "alipayclient": "Alipay",
    "avast": "Avast Secure Browser",
    "avg": "AVG Secure Browser",
    "baiduboxapp": "Baidu",
    "bingsapphire": "Bing",
    "ccleaner": "CCleaner Browser",
    "code": "VS Code",
    "code-insiders": "VS Code",
    "ddg": "DuckDuckGo",
    "dingtalk": "DingTalk",
    "discord": "Discord",
    "discordcanary": "Discord",
    "discordptb": "Discord",
    "falkon": "Falkon",
    "githubdesktop": "GitHub Desktop",
    "googleapp": "Google",
    "gsa": "Google",
    "kakaotalk": "KakaoTalk",
    "lark": "Lark",
    "line": "LINE",
    "linkedinapp": "LinkedIn",
    "macoutlook": "Outlook",
    "maxthon": "Maxthon",
    "micromessenger": "WeChat",
    "microsoftteams-preview": "Microsoft Teams",
    "mobilesafari": "Safari",
    "msteams": "Microsoft Teams",
    "mzbrowser": "Meizu Browser",
    "norton": "Norton Private Browser",
    "notiondesktop": "Notion",
    "obsidian": "Obsidian",
    "oneoutlook": "Outlook",
    "orion": "Orion",
    "picobrowser": "PICO Browser",
    "powershell": "PowerShell",
    "qq": "QQ",
    "quark": "Quark",
    "safariviewservice": "Safari",
    "slack": "Slack",
    "slack_ssb": "Slack",
    "teams": "Microsoft Teams",
    "ubrowser": "UC Browser",
    "ucbrowser": "UC Browser",
    "vivaldi": "Vivaldi",
    "vkandroidapp": "VK",
    "whale": "Whale",
    "whatsapp": "WhatsApp",
    "wolvic": "Wolvic",
    "wxwork": "WeCom",
    "yabrowser": "Yandex Browser",
    "yasearchbrowser": "Yandex Browser",
}
# Apps that append something else.
APPS = (
    (re.compile(r"\[LinkedInApp\]"), "LinkedIn"),
    (re.compile(r"\bFBAN/Messenger|\bFB_IAB/(?:Orca|MESSENGER)"), "Facebook Messenger"),
    (re.compile(r"\bAliApp\(DingTalk\b"), "DingTalk"),
    (re.compile(r"\bAliApp\(TB\b"), "Taobao"),
    (re.compile(r"\bBarcelona \d"), "Threads"),
    (re.compile(r"\bKAKAOTALK \d"), "KakaoTalk"),
    (re.compile(r"\bNAVER\("), "NAVER"),
    (re.compile(r"[Ss]napchat/?\d"), "Snapchat"),
    (re.compile(r"\bReddit/Version"), "Reddit"),
    (re.compile(r"\bTeamsMobile-"), "Microsoft Teams"),
    (re.compile(r"\bYJApp-"), "Yahoo! Japan"),
    (re.compile(r"\bValve Steam\b"), "Steam"),
)

# An app of Apple's systems by their own library: only those of a Mac have named its
# processor, and sometimes its model. Safari of other devices is MobileSafari.
CFNETWORK = re.compile(
    r"^([^/()]+?)(?:/\S*)?(?: \([^()]*\))? CFNetwork/\S+(?: Darwin/\S+|$)"
)
PROCESSOR = re.compile(r"\((?:x86_64|arm64e?|i386)\)|^Safari/")
PHONE = re.compile(r"\b(?:Android|iPhone|iPad|iOS)\b")
MAC = re.compile(r"\bmacOS\b|\bMac OS/")

# A program with Chromium inside.
ELECTRON = re.compile(r"\bElectron/")
# A page shown by an app: on Android it says so, and Apple's doesn't call itself Safari.
ANDROID_WEB_VIEW = re.compile(r"; wv\)|\bArkWeb/")

# Libraries by which apps and scripts make requests, and what the library of user
# agents takes an app for that names an iPhone.
LIBRARIES = {"", "okhttp", "Alamofire", "CFNetwork", "Safari"}
# Begin what browsers send, and apps of Android that name nothing.
SYSTEM_AGENTS = ("Mozilla/", "Dalvik/", "Opera/")
FIRST_NAME = re.compile(r"([A-Za-z][\w.%-]*+(?: [A-Z][\w.%-]*+){0,3})/v?\d")


def find_program(user_agent: str, browser: str) -> str:
    """Return the program of a user agent, where ``browser`` isn't its name; else ""."""
    if found := CFNETWORK.match(user_agent):
        return _known(unquote(found[1]))
    if not user_agent.startswith(SYSTEM_AGENTS):
        first = FIRST_NAME.match(user_agent) if browser in LIBRARIES else None
        return _known(unquote(first[1])) if first else ""
    for pattern, name in APPS:
        if pattern.search(user_agent):
            return name
    tokens = _own_tokens(user_agent)
    known = next(
        (NAMES[token.lower()] for token in tokens if token.lower() in NAMES), ""
    )
    if known or not _shows_pages_of_app(user_agent, browser):
        return known
    return tokens[0] if tokens else ""


def is_app_of_apple(user_agent: str) -> bool:
    return bool(CFNETWORK.match(user_agent))


def is_app_of_phone(user_agent: str) -> bool:
    if is_app_of_apple(user_agent):
        return True
    return not user_agent.startswith("Mozilla/") and bool(PHONE.search(user_agent))


def is_app_of_mac(user_agent: str) -> bool:
    if is_app_of_apple(user_agent):
        return bool(PROCESSOR.search(user_agent))
    is_browser = user_agent.startswith(SYSTEM_AGENTS)
    return not is_browser and bool(MAC.search(user_agent))


def is_electron(user_agent: str) -> bool:
    return bool(ELECTRON.search(user_agent))


def without_app_name(user_agent: str) -> str:
    """Return what an app says of its device: its own name may be "TV" or "Tab"."""
    is_system = user_agent.startswith((*SYSTEM_AGENTS, "HbbTV/"))
    return user_agent if is_system else user_agent.partition(" ")[2]


def _known(name: str) -> str:
    return NAMES.get(name.lower(), name)


def _own_tokens(user_agent: str) -> list[str]:
    """Return the names that stand behind the engine, without those of the engine."""
    tail = user_agent.partition("like Gecko")[2] or user_agent
    tokens = TOKEN.findall(COMMENT.sub(" ", tail))
    return [token for token in tokens if token.lower() not in ENGINES]


def _shows_pages_of_app(user_agent: str, browser: str) -> bool:
    if is_electron(user_agent):
        return True
    if ANDROID_WEB_VIEW.search(user_agent):
        return browser in {"", "Chrome"}
    is_webkit = "AppleWebKit/" in user_agent and "Mac OS X" in user_agent
    return is_webkit and "Safari" not in user_agent and browser in {"", "Safari"}
