"""The newest htmx 4: ``python -m tests.browser.htmx`` fetches it.

django-htmx brings the htmx 2 of the tests, and of htmx 4 an older version.
"""

import sys
from pathlib import Path

from tests.browser.npm import unpack

VERSION = "4.0.1"
FOLDER = Path(sys.prefix) / f"htmx-{VERSION}"
FILES = ("htmx.min.js", "ext/htmx-2-compat.min.js")


def fetch():
    if FOLDER.exists():
        return
    files = unpack(f"htmx.org@{VERSION}", *(f"dist/{name}" for name in FILES))
    for name in FILES:
        path = FOLDER / "htmx-4" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[f"dist/{name}"])


if __name__ == "__main__":
    fetch()
