"""Crawlers, and assistants that fetch a page for somebody."""

from __future__ import annotations

import re

# Names that don't say what they are, with or without the address of their maker. The
# first line has assistants.
NAMES = (
    *("Claude-Web", "anthropic-ai", "cohere-ai", "NovaAct", "Gemini-Deep-Research"),
    *(r"ChatGPT Agent", r"GoogleAgent-\w{1,30}", r"[Mm]eta-externalfetcher"),
    *(r"[Mm]eta-externalagent", r"[Mm]eta-[Ww]eb[Ii]ndexer", "facebookexternalhit"),
    *("facebookcatalog", r"Google(?:Other(?:-\w{1,30})?|Producer|Messages)"),
    *(r"(?:Mediapartners|FeedFetcher|APIs)-Google", r"Google (?:Favicon|Web Preview)"),
    *(r"Google-(?!HTTP|API)[A-Z][\w-]{2,30}", "Chrome-Lighthouse", "ia_archiver"),
    r"Yandex(?:Additional|Blogs|Calendar|Direct|Favicons|Images|Market|Media|Metrika"
    r"|Video|Webmaster)",
    *(
        "AIWebIndex",
        "AhrefsSiteAudit",
        "Anomura",
        "[Bb]arkrowler",
        "(?:Bluesky )Cardyb",
    ),
    *(r"Cloudflare-\w{1,30}", "Cotoyogi", "Crawl4AI", "Crawlspace", "FirecrawlAgent"),
    *("GTmetrix", "LAIONDownloader", "Lightpanda", "Mastodon", "Nmap", "SEOkicks"),
    *("Scrapy", "Site24x7", "SkypeUriPreview", "StatusCake", "TerraCotta", "Yeti"),
    *("img2dataset", "omgili", "[Ww]ebzio-[Ee]xtended", "zgrab"),
)
NAMED = re.compile(rf"(?<![\w./@-])(?<!like )({'|'.join(NAMES)})\b")
# What fetches for a user calls itself so.
USER = re.compile(r"(?<![\w./@-])([A-Z][A-Za-z-]{1,40}-User(?:-Index)?)(?=[/;) ]|$)")
# A word that ends with "bot" or the like, alone or in a name. Cubot makes phones.
WORD = re.compile(r"(?<![\w./@:-])(?<!like )[A-Za-z0-9][\w.-]*+(?!@)")
BOT_WORD = re.compile(
    r"(?:(?<!^cu)bot|spider|crawler|fetcher|scraper|validator|checker)(?:-|$)",
    re.IGNORECASE,
)
BARE_WORDS = {"bot", "robot", "spider", "crawler", "fetcher", "scraper", "checker"}
# Other crawlers say that they are compatible with browsers.
COMPATIBLE = re.compile(r"\bcompatible; {0,2}([A-Za-z][\w.-]*+)(?=[/;)]|$)")
# Or they give an address: "Foo/1.2; +https://…" or "Foo/2.0 (https://…)". Only they put
# a plus sign before it.
ADDRESS = re.compile(
    r"(?:^|[(;] {0,2})([\w.-]++)(?:[/ ][\w.-]++)?(?:; | \()(?:https?:|[\w.-]+@)"
    r"|(?:^|[(; ] ?)([\w.-]++)(?:[/ ][\w.-]++)?[;( ]{1,3}\+ ?"
    r"(?:https?:|www\.|mailto:|[\w.-]+@)"
)
# Libraries of scripts that give the address of their documentation.
SCRIPTS = {"node-fetch", "got"}
# What stands where others give their name.
NAMELESS = {"Mozilla", "compatible", "Safari", "Firefox", "Gecko", "robots.txt"}
# Programs for people that are compatible with Netscape's.
COMPATIBLE_PROGRAMS = {"Konqueror", "U", "MSIE", "Windows", "ms-office", "HTTrack"}


def find_crawler(user_agent: str) -> str:
    """Return the name by which a crawler or an assistant calls itself; else ""."""
    if named := USER.search(user_agent) or NAMED.search(user_agent):
        return named[1]
    words = [word for word in WORD.findall(user_agent) if BOT_WORD.search(word)]
    if word := next((word for word in words if word.lower() not in BARE_WORDS), ""):
        return word
    named = COMPATIBLE.search(user_agent)
    if named and named[1] not in COMPATIBLE_PROGRAMS:
        return named[1]
    return _name_before_address(user_agent)


def has_bare_word(user_agent: str) -> bool:
    """Return whether it has a word such as "spider" alone, as in "Foo web spider".

    Models of Android are named so, too.
    """
    if "Android" in user_agent:
        return False
    return any(word.lower() in BARE_WORDS for word in WORD.findall(user_agent))


def _name_before_address(user_agent: str) -> str:
    found = ADDRESS.search(user_agent)
    name = (found[1] or found[2]) if found else ""
    if name in SCRIPTS or name.lower() in BARE_WORDS:
        return ""
    return "bot" if name in NAMELESS else name
