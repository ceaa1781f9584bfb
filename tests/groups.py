"""Which tests stay on one worker of pytest-xdist, and in which order they start.

``pytest --dist loadgroup`` runs a group on one worker. Tests without a group go
to the worker that is free.
"""

from __future__ import annotations

import pytest

RACES = "races"


def group_of(item: pytest.Item) -> str | None:
    if item.get_closest_marker("processes"):
        # Each race has up to three processes: two races at once would starve
        # one another on two cores.
        return RACES
    if is_in_browser(item):
        # A site is served once, by the worker that visits it.
        return f"browser-{site_of(item)}"
    return None


def is_in_browser(item: pytest.Item) -> bool:
    return "chromium" in item.fixturenames


def site_of(item: pytest.Item) -> str:
    callspec = getattr(item, "callspec", None)
    # Tests without the parameter have the theme.
    return callspec.params.get("site", "theme") if callspec else "theme"


def start_order(item: pytest.Item) -> int:
    """Return what to sort by: the longest groups first, for the rest fills in."""
    return 0 if is_in_browser(item) else 1
