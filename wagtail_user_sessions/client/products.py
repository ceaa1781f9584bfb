"""Devices that the library of user agents takes for others, or doesn't know.

A pattern is tried on a user agent of up to 512 characters. No pattern here repeats what
another repetition of it may match, so none takes long.
"""

from __future__ import annotations

import re

from . import programs

# Devices that people know by one name, not by a browser and a system. The group of a
# pattern is the model.
DEVICES = (
    (re.compile(r"PlayStation ?([2-5]|Vita|Portable)", re.IGNORECASE), "PlayStation"),
    (re.compile(r"\bNintendo (Switch 2|Switch|Wii ?U|Wii|3DS|DSi)\b"), "Nintendo"),
    (re.compile(r"\bX(?:box\b|BOX_)()"), "Xbox"),
    (
        re.compile(r"Apple ?Watch()|\b[Ww]atch ?OS\b|\bWatch\d{1,2},\d"),
        "Apple Watch",
    ),
    (re.compile(r"Apple ?TV()|\btvOS\b"), "Apple TV"),
    (re.compile(r"\bRoku\b()"), "Roku"),
    (re.compile(r"\bCrKey/()|\bChromecast\b"), "Chromecast"),
    (re.compile(r"\bVIDAA\b()"), "VIDAA"),
    (re.compile(r"(?<=[ )])Tesla/()|\bQtCarBrowser\b"), "Tesla"),
    (re.compile(r"\bHoloLens\b()"), "HoloLens"),
    (re.compile(r" Kindle/\d()"), "Kindle"),
    (re.compile(r"\(Kobo\b()"), "Kobo"),
)
MODELS = {"vita": "Vita", "portable": "Portable", "WiiU": "Wii U"}
# Those whose browser has no name that people know.
ONE_NAME = {"Roku", "Tesla", "Kindle", "Kobo", "Apple Watch", "Apple TV"}
# Those that have an app for phones, whose pages name it.
HAVE_APPS = {"Xbox", "Roku", "Tesla", "Apple TV"}
PHONE = re.compile(r"Mozilla/5\.0 \((?:iPhone|iPad|Linux; Android)")
READERS = {"Kindle", "Kobo"}

# Televisions, boxes for them, and headsets: they have no kind of their own.
TELEVISION = re.compile(
    r"\b(?i:(?:smart|android|google|hbb|net|mi|beyond)?-?tv|smarttv\w*)\b"
    r"|\b(?:BRAVIA|AFT[A-Z0-9]{1,12}|CrKey|Chromecast|MI ?BOX\w*|Viera|VR)\b"
    r"|\bQuest (?:\dS?|Pro)\b"
)

# Tablets by their models. Apps of Android name the model, but don't say "Mobile".
TABLET_MODEL = re.compile(
    # Of Samsung, Amazon, Lenovo, Google, Huawei, OPPO and OnePlus, realme, and Xiaomi.
    r"\b(?:SM-[TXP]\d{3}|KF[A-Z]{3,5}\b|TB-?\w?\d{3}|YT-X?\d{3}|Nexus (?:7|9|10)\b"
    r"|[A-Z]{3}\d?-W\d{2}|OPD\d{4}|RMP\d{4}|\d{5}RP)"
    r"|(?i:(?:(?<!cool)pad|tab|tablet)(?![a-z]))"
)

# The system of Huawei's newer devices, with the kinds that it names.
HARMONY = re.compile(r"\bOpenHarmony\b|\bArkWeb/|\(\w+; HarmonyOS\b")
HARMONY_KINDS = {
    "Phone": "mobile",
    "Tablet": "tablet",
    "PC": "desktop",
    "2in1": "desktop",
    "TV": "unknown",
    "Wearable": "unknown",
    "Car": "unknown",
}


def find_device(user_agent: str) -> str:
    """Return the name of a console, a watch, a television or a car; "" for others."""
    if programs.is_app_of_phone(user_agent):
        # An app such as Xbox or Roku, which people have on a phone.
        return ""
    for pattern, name in DEVICES:
        found = pattern.search(user_agent)
        if found and not (name in HAVE_APPS and PHONE.match(user_agent)):
            model = found[1] or ""
            model = MODELS.get(model, MODELS.get(model.lower(), model))
            return f"{name} {model}".strip()
    return ""


def is_television(user_agent: str) -> bool:
    """Return whether it is a television, or a headset."""
    return bool(TELEVISION.search(programs.without_app_name(user_agent)))


def is_tablet_model(user_agent: str) -> bool:
    """Return whether an app of Android names the model of a tablet."""
    return bool(TABLET_MODEL.search(programs.without_app_name(user_agent)))


def find_harmony_kind(user_agent: str) -> str | None:
    """Return the kind of a device with HarmonyOS NEXT; ``None`` for other systems."""
    if not HARMONY.search(user_agent):
        return None
    words = re.findall(r"\w+", user_agent)
    named = (HARMONY_KINDS[word] for word in words if word in HARMONY_KINDS)
    return next(named, "mobile" if "Mobile" in words else "unknown")
