"""Wagtail's admin with a million sessions: ``python -m benchmarks.admin``.

Makes a database of its own, fills it, asks for whole pages, and prints how long
they took. Exits with 1 if a page that the documentation promises to be fast took
longer than 0.5 s, by the median of its runs.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from functools import partial

import django

# Seconds.
BOUND = 0.5
RUNS = 5


def main() -> int:
    options = _options()
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    django.setup()
    from . import database

    try:
        _prepare(options)
        return _report(options)
    finally:
        if not options.keep:
            database.drop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.admin")
    parser.add_argument("--rows", type=int, default=1_000_000, help="sessions")
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=RUNS, help="of each page")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="pages whose name has the text"
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="keep the database, and use one of as many rows that was kept",
    )
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    if options.write and options.only:
        parser.error("--write takes all pages")
    return options


def _prepare(options: argparse.Namespace) -> None:
    from . import data, database

    if options.keep and database.exists() and data.is_filled(rows=options.rows):
        return
    start = time.perf_counter()
    database.create()
    data.fill(rows=options.rows, users=options.users)
    database.vacuum()
    _say(f"Made {options.rows:,} sessions in {time.perf_counter() - start:.0f} s.")


def _report(options: argparse.Namespace) -> int:
    from . import report

    pages, over = _pages(options)
    if not options.only:
        pages += f"\n\n{_peers(options)}"
    text = f"{_circumstances(options)}\n\n{pages}"
    print(text)
    if options.write:
        report.write("benchmarks.admin", text)
    for name in over:
        _say(f"Over {BOUND} s: {name}")
    return 1 if over else 0


def _circumstances(options: argparse.Namespace) -> str:
    from wagtail_user_sessions.models import Session

    from . import database

    heap, indexes = database.megabytes(Session._meta.db_table)
    return (
        f"{options.rows:,} sessions ({heap:,} MB and {indexes:,} MB of indexes) of "
        f"{options.users:,} users; {os.cpu_count()} cores, {database.version()}, "
        f"Python {sys.version_info.major}.{sys.version_info.minor}, Django "
        f"{django.get_version()}; load at the end {os.getloadavg()[0]:.1f}. Median of "
        f"{options.runs} runs and the worst, in seconds."
    )


def _pages(options: argparse.Namespace) -> tuple[str, list[str]]:
    """Return a table of the pages, and the names of the pages that are too slow."""
    from . import cases, picture, report
    from .measuring import Measured, measure

    clients = [cases.superuser(), cases.manager()]
    rows, over = [], []

    def add(name: str, measured: list[Measured], *, is_promised: bool) -> None:
        bound = BOUND if is_promised else None
        row = [name]
        for one in measured:
            row += report.cells(one, bound=bound)
        rows.append([*row, f"{BOUND}" if is_promised else ""])
        if bound is not None and any(one.median > bound for one in measured):
            over.append(name)
        _say(" | ".join(row))

    for case in cases.cases():
        if options.only in case.name:
            calls = [partial(cases.request, client, case.path) for client in clients]
            measured = [measure(call, runs=options.runs) for call in calls]
            add(case.name, measured, is_promised=case.is_promised)
            if case.name == "first page":
                drawn = [picture.measure(call, runs=options.runs) for call in calls]
                add("… its picture", drawn, is_promised=True)
    heading = ["page", "superuser", "queries", "manager", "queries", "promised"]
    return report.table(heading, rows), over


def _peers(options: argparse.Namespace) -> str:
    from . import peers, report

    rows = [
        (name, *report.cells(measured, bound=None))
        for name, measured in peers.measurements(runs=options.runs)
    ]
    return report.table(["counting all, skipping rows", "queries alone", ""], rows)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
