"""The Chromium that the machine has; playwright's own is never downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# The first is the same engine without a desktop's windows, which takes a third less
# of the processor. Debian has both.
PROGRAMS = ("chromium-headless-shell", "chromium")


def find() -> str | None:
    found = map(shutil.which, PROGRAMS)
    return os.environ.get("CHROMIUM") or next(filter(None, found), None)


@contextmanager
def launch(path: str) -> Iterator[Browser]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()
