"""Devices and programs that the library of user agents takes for others, or not at all.

A pattern is tried on a user agent of up to 512 characters, and each takes time that
grows with the length alone: none repeats what another repetition of it may match.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

# Devices that people know by one name, not by a browser and a system.
DEVICES = (
    (re.compile(r"PlayStation (?:5|4|3|Vita|Portable)", re.IGNORECASE), ""),
    (re.compile(r"Nintendo (?:Switch 2|Switch|WiiU|Wii U|Wii|3DS|DSi)"), ""),
    (re.compile(r"\bXbox\b"), "Xbox"),
    (re.compile(r"Apple ?Watch|\bwatch ?OS\b|\bWatch\d", re.IGNORECASE), "Apple Watch"),
    (re.compile(r"Apple ?TV|\btvOS\b", re.IGNORECASE), "Apple TV"),
    (re.compile(r"^Roku/|\bRoku\b"), "Roku"),
    (re.compile(r"\bCrKey/"), "Chromecast"),
    (re.compile(r"\bVIDAA\b"), "VIDAA"),
    (re.compile(r"\bTesla\b"), "Tesla"),
    (re.compile(r"\bKindle/"), "Kindle"),
)
# Those whose browser has no name that people know.
ONE_NAME = {"Roku", "Tesla", "Kindle", "Apple Watch", "Apple TV"}
SPELLING = {"Playstation": "PlayStation", "WiiU": "Wii U"}

# The system of Huawei's newer devices, with the kinds that it names.
HARMONY = re.compile(r"\bOpenHarmony\b|\bArkWeb/")
HARMONY_KINDS = {
    "Phone": "mobile",
    "Tablet": "tablet",
    "PC": "desktop",
    "2in1": "desktop",
}

# A native app of Apple's systems: only those of a Mac have named its processor.
CFNETWORK = re.compile(r"^([^/]+)/\S* CFNetwork/\S+ Darwin/\S+")
PROCESSOR = re.compile(r"\((?:x86_64|arm64|i386)\)$")

# A program that brings Chromium along has its own name between those of Chromium.
ELECTRON = re.compile(r"\bElectron/")
TOKEN = re.compile(r"([A-Za-z][\w.-]*)/\d")
CHROMIUM = {"Mozilla", "AppleWebKit", "Chrome", "Electron", "Safari", "Edg", "Version"}
PROGRAMS = {
    "Code": "VS Code",
    "discord": "Discord",
    "obsidian": "Obsidian",
    "Teams": "Microsoft Teams",
}

# Apps that show pages, by what they append.
APPS = (
    (re.compile(r"\[LinkedInApp\]|\bLinkedInApp/"), "LinkedIn"),
    (re.compile(r"\bBarcelona \d"), "Threads"),
    (re.compile(r"\bNAVER\("), "NAVER"),
    (re.compile(r"\bGSA/"), "Google"),
    (re.compile(r"\bPicoBrowser/"), "PICO Browser"),
    (re.compile(r"\bWhale/"), "Whale"),
)

# Assistants that fetch a page for somebody, with or without an address of their maker.
ASSISTANT = re.compile(
    r"\b((?:ChatGPT|Claude|Perplexity|MistralAI|Amzn|DuckAssist|Kagi|You)-User"
    r"|[A-Z][A-Za-z]{1,30}-User(?=/\d)"
    r"|Google-(?:NotebookLM|Agent)|Gemini-Deep-Research|meta-externalfetcher"
    r"|cohere-ai|DuckAssistBot)\b"
)

# Libraries by which apps and scripts make requests.
LIBRARIES = {"", "okhttp", "Alamofire", "CFNetwork"}
# Begins what browsers send, and apps of Android that name nothing.
SYSTEM_AGENTS = ("Mozilla/", "Dalvik/")
FIRST_NAME = re.compile(r"([A-Za-z][\w.%-]{0,40})/\d")


def find_device(user_agent: str) -> str:
    """Return the name of a console, a watch, a television or a car; "" for others."""
    for pattern, name in DEVICES:
        if found := pattern.search(user_agent):
            name = name or found[0]
            for spelled, right in SPELLING.items():
                name = name.replace(spelled, right)
            return name.replace("PLAYSTATION", "PlayStation")
    return ""


def find_app(user_agent: str, browser: str) -> str:
    """Return the program of a user agent, where ``browser`` isn't its name; else ""."""
    if ELECTRON.search(user_agent):
        names = (name for name in TOKEN.findall(user_agent) if name not in CHROMIUM)
        name = next(names, "")
        return PROGRAMS.get(name, name)
    if found := CFNETWORK.match(user_agent):
        return unquote(found[1])
    for pattern, name in APPS:
        if pattern.search(user_agent):
            return name
    is_nameless = browser in LIBRARIES and not user_agent.startswith(SYSTEM_AGENTS)
    first = FIRST_NAME.match(user_agent) if is_nameless else None
    return unquote(first[1]) if first else ""


def is_app_of_mac(user_agent: str) -> bool:
    is_app = CFNETWORK.match(user_agent)
    return bool(is_app and PROCESSOR.search(user_agent))


def find_harmony_kind(user_agent: str) -> str | None:
    """Return the kind of a device with HarmonyOS NEXT; ``None`` for other systems."""
    if not HARMONY.search(user_agent):
        return None
    words = re.findall(r"\w+", user_agent)
    named = (HARMONY_KINDS[word] for word in words if word in HARMONY_KINDS)
    return next(named, "mobile" if "Mobile" in words else "unknown")
