"""Engines of sessions, compared: ``python -m benchmarks.engines``.

Each engine has a process and a database of its own. Exits with 1 if this package
is slower, compared with Django's engines in the same run, than it promises.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from benchmarks import report

from . import promises, rounds, tables
from .crew import crew
from .process import Worker
from .variants import VARIANTS, Variant

DATABASES = ("sqlite", "postgresql")
PACKAGES = (
    "Django",
    "django-user-sessions",
    "django-qsessions",
    "django-allauth",
    "psycopg",
    "redis",
)


def main() -> int:
    options = _options()
    variants = [one for one in VARIANTS if options.variants in one.name]
    _say("Starting …")
    with crew(variants, options.databases, only=options.only) as workers:
        missing = {
            worker.variant: f"Left out: {worker.variant.name}: {worker.missing}"
            for worker in workers
            if worker.missing
        }
        for line in missing.values():
            _say(line)
        variants = [one for one in variants if one not in missing]
        workers = [worker for worker in workers if not worker.missing]
        return _report(options, variants, workers, list(missing.values()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.engines")
    add = parser.add_argument
    add("--rounds", type=int, default=12, help="each of a slice of every case")
    add("--only", default="", metavar="TEXT", help="cases whose name has the text")
    add("--variants", default="", metavar="TEXT", help="engines, likewise")
    add("--databases", nargs="+", choices=DATABASES, default=DATABASES)
    add("--write", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    is_whole = not options.only and not options.variants
    if options.write and not (is_whole and set(options.databases) == set(DATABASES)):
        parser.error("--write takes all cases, engines and databases")
    return options


def _report(
    options: argparse.Namespace,
    variants: Sequence[Variant],
    workers: Sequence[Worker],
    missing: Sequence[str],
) -> int:
    figures = rounds.measure(workers, rounds=options.rounds, say=_say)
    found = tables.tables(figures, variants=variants, databases=options.databases)
    text = "\n\n".join([_circumstances(options, workers), *missing, found])
    print(text)
    if options.write:
        report.write("benchmarks.engines", text)
    broken = list(promises.broken(figures))
    for name in broken:
        _say(f"Broken: {name}")
    return 1 if broken else 0


def _circumstances(options: argparse.Namespace, workers: Sequence[Worker]) -> str:
    servers = dict.fromkeys(name for worker in workers for name in worker.versions)
    packages = [f"{name} {found}" for name in PACKAGES if (found := _version(name))]
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    return (
        f"{os.cpu_count()} cores, {', '.join([*servers, python, *packages])}; load at "
        f"the end {os.getloadavg()[0]:.1f}. {options.rounds} rounds, in each up to "
        f"{rounds.RUNS} runs of a case by each engine, in an order by chance."
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
