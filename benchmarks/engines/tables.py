"""The figures as tables of Markdown, one for each case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks import report

from . import promises
from .cases import Case
from .figures import Figure, Figures
from .variants import OUR_DB, Variant

NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def tables(
    figures: Figures, *, variants: Sequence[Variant], databases: Sequence[str]
) -> str:
    measured = {case for _, _, case in figures} - {Case.BARE_DELETE}
    return "\n\n".join(
        f"### {case.capitalize()}\n\n{_table(figures, case, variants, databases)}"
        for case in Case
        if case in measured
    )


def _table(
    figures: Figures, case: Case, variants: Sequence[Variant], databases: Sequence[str]
) -> str:
    heading = [""]
    for database in databases:
        heading += [f"{NAMES[database]}: queries", "ms", "ratio"]
        if database == "postgresql":
            heading.append("server, ms")
    heading += ["cache", "promised"]
    rows = [[one.name, *_cells(figures, case, one, databases)] for one in variants]
    if case == Case.ENDING_50:
        bare = _cells(figures, Case.BARE_DELETE, OUR_DB, databases)
        rows.append([Case.BARE_DELETE, *bare])
    return report.table(heading, rows)


def _cells(
    figures: Figures, case: Case, variant: Variant, databases: Sequence[str]
) -> Iterator[str]:
    for database in databases:
        yield from _measured(figures, case, variant, database)
    found = [figures.get((variant, database, case)) for database in databases]
    yield next((_calls(figure) for figure in found if figure), "")
    yield ", ".join(map(str, promises.made(case, variant)))


def _measured(
    figures: Figures, case: Case, variant: Variant, database: str
) -> Iterator[str]:
    figure = figures.get((variant, database, case))
    ratio = figures.ratio(variant, database, case)
    broken = _broken(figures, case, variant, database)
    for measure, text in (
        (promises.QUERIES, _queries(figure) if figure else ""),
        (promises.MILLISECONDS, _milliseconds(figure) if figure else ""),
        (promises.RATIO, "" if ratio is None else f"{ratio:.2f}"),
    ):
        yield f"**{text}**" if measure in broken else text
    if database == "postgresql":
        cpu = figure.server_milliseconds if figure else None
        yield "" if cpu is None else f"{cpu:.2f}"


def _broken(figures: Figures, case: Case, variant: Variant, database: str) -> set[str]:
    """Return the measures of the broken promises."""
    return {
        promise.measure
        for promise in promises.made(case, variant)
        if promise.is_broken(figures, variant, database)
    }


def _queries(figure: Figure) -> str:
    more = f" + {figure.transaction}" if figure.transaction else ""
    return f"{figure.queries}{more}"


def _milliseconds(figure: Figure) -> str:
    low, high = figure.spread
    return f"{figure.milliseconds:.2f} ({low:.2f}-{high:.2f})"


def _calls(figure: Figure) -> str:
    calls = figure.cache.items()
    return ", ".join(f"{count} {name}" if count > 1 else name for name, count in calls)
