"""All figures, as text, and the promises that they break."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from benchmarks import database
from benchmarks.report import table

from . import cleaning, copies, storage
from .cleaning import Work

ENGINES = ("db", "cached_db")
SINGLE = "one `DELETE` of all expired"
SINGLE_AGAIN = "… again, at the end"


@dataclass
class Found:
    parts: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n\n".join(self.parts)

    def promise(self, name: str, value: float, *, most: float) -> None:
        if value > most:
            self.broken.append(f"{name}: {value:.2f}, and at most {most:g} is promised")


def collect() -> Found:
    found = Found()
    with copies.fresh():
        server = database.version()
        _storage(found)
    _cleaning(found)
    load = os.getloadavg()[0]
    found.parts.append(
        f"{os.cpu_count()} cores, {server}; load at the end {load:.1f}. One run each."
    )
    return found


def _storage(found: Found) -> None:
    tables = storage.measure()
    rows = [
        [name, *(f"{value:.0f}" for value in (measured.heap, indexes, measured.total))]
        for name, measured in tables.items()
        for indexes in [sum(measured.indexes.values())]
    ]
    found.parts.append(table(["bytes a session", "table", "indexes", "both"], rows))
    found.parts.append(
        table(
            ["index of ours", "bytes a session"],
            [
                [f"`{name}`", f"{size:.0f}"]
                for name, size in tables["ours"].indexes.items()
            ],
        )
    )
    ratio = tables["ours"].total / tables["django-user-sessions"].total
    found.promise("bytes, of django-user-sessions'", ratio, most=1.1)


def _cleaning(found: Found) -> None:
    """Measure the works. A single DELETE runs first and last, for the comparison."""
    works = {SINGLE: cleaning.single_delete()}
    for engine in ENGINES:
        works[f"`clearsessions`, `{engine}`"] = cleaning.clear(engine)
        works[f"… beside traffic, `{engine}`"] = cleaning.clear_beside_traffic(engine)
    for engine in ENGINES:
        works[f"sign out everybody, `{engine}`"] = cleaning.sign_out_everybody(engine)
    works[SINGLE_AGAIN] = cleaning.single_delete()
    heading = ["", "rows", "s", "longest batch, s", "memory, MB", "slowest page, s"]
    rows = [_row(name, work) for name, work in works.items()]
    found.parts.append(table(heading, rows))
    _promise(found, works)


def _promise(found: Found, works: dict[str, Work]) -> None:
    single = (works.pop(SINGLE).time + works.pop(SINGLE_AGAIN).time) / 2
    for name, work in works.items():
        found.promise(f"{name}, MB", work.memory, most=40)
        found.promise(f"{name}, s a batch", work.batch, most=1)
        found.promise(f"{name}, s a page", work.stall or 0, most=0.1)
        if name.startswith("`clearsessions`"):
            found.promise(f"{name}, of one DELETE", work.time / single, most=3)
        if name.startswith("sign out"):
            seconds = work.time / work.rows * 1_000_000
            found.promise(f"{name}, s a million", seconds, most=10)


def _row(name: str, work: Work) -> list[str]:
    page = "" if work.stall is None else f"{work.stall:.3f} (of {work.pages:,})"
    batch = f"{work.batch:.2f}" if work.batch else ""
    memory = f"+{work.memory:.0f}"
    return [name, f"{work.rows:,}", f"{work.time:.1f}", batch, memory, page]
