"""How long the tests of a database take, remembered from the last time here."""

from __future__ import annotations

import json
from pathlib import Path

PATH = Path(__file__).resolve().parent.parent / "build" / "test-durations.json"
# Seconds on two cores, where the tests have not passed yet.
TYPICAL = {"sqlite": 240, "postgresql": 120, "mariadb": 100}


def expected(databases: list[str]) -> str:
    """Return the time that these databases take together, in words."""
    known = remembered()
    seconds = sum(known.get(name, TYPICAL[name]) for name in databases)
    is_known = all(name in known for name in databases)
    origin = "as the last time here" if is_known else "on two cores"
    return f"{max(round(seconds / 60), 1)} min ({origin})"


def remembered() -> dict[str, int]:
    try:
        return json.loads(PATH.read_text())
    except (OSError, ValueError):
        return {}


def remember(database: str, seconds: int) -> None:
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(json.dumps({**remembered(), database: seconds}))
