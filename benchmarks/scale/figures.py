"""All figures, as text, and which promises they break."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from benchmarks import database
from benchmarks.report import table

from . import cleaning, copies, storage
from .cleaning import Work

ENGINES = ("db", "cached_db")


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
    single = cleaning.single_delete()
    rows = [_row("one DELETE of all expired", single)]
    for engine in ENGINES:
        alone = cleaning.clear(engine)
        beside = cleaning.clear_beside_traffic(engine)
        rows.append(_row(f"`clearsessions`, `{engine}`", alone))
        rows.append(_row(f"… beside traffic, `{engine}`", beside))
        found.promise(
            f"clearsessions {engine}, of one DELETE", alone.time / single.time, most=3
        )
        found.promise(f"clearsessions {engine}, MB", alone.memory, most=40)
        for work in (alone, beside):
            found.promise(f"clearsessions {engine}, s a batch", work.batch, most=1)
        found.promise(f"clearsessions {engine}, s a page", beside.stall or 0, most=0.1)
    for engine in ENGINES:
        everybody = cleaning.sign_out_everybody(engine)
        rows.append(_row(f"sign out everybody, `{engine}`", everybody))
        found.promise(f"everybody {engine}, s", everybody.time, most=10)
        found.promise(f"everybody {engine}, MB", everybody.memory, most=40)
    heading = ["", "rows", "s", "longest batch, s", "memory, MB", "slowest page, s"]
    found.parts.append(table(heading, rows))


def _row(name: str, work: Work) -> list[str]:
    page = "" if work.stall is None else f"{work.stall:.3f} (of {work.pages:,})"
    batch = f"{work.batch:.2f}" if work.batch else ""
    memory = f"+{work.memory:.0f}"
    return [name, f"{work.rows:,}", f"{work.time:.1f}", batch, memory, page]
