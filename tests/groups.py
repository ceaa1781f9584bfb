"""Which tests stay on one worker of pytest-xdist.

``pytest --dist loadgroup`` runs a group on one worker. Tests without a group go
to the worker that is free. They start in pytest-django's order, with the browser
after all that use the database: playwright leaves an event loop running in the
thread, in which Django refuses to.
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
