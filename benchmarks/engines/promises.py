"""Promises of the documentation about the package's speed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from .cases import DEVICES, Case
from .figures import Figures
from .variants import (
    ALL_OURS,
    OUR_CACHED_DB,
    OUR_CACHED_DB_OWN,
    OUR_DB,
    OUR_DB_OWN,
    OUR_DB_PREPARED,
    Variant,
)

QUERIES, RATIO, MILLISECONDS = "queries", "ratio", "ms"


@dataclass(frozen=True, kw_only=True)
class Promise:
    case: Case
    variants: tuple[Variant, ...]
    # The figure that is at most as large as the bound.
    measure: str
    bound: float

    def value(self, figures: Figures, variant: Variant, database: str) -> float | None:
        figure = figures.get((variant, database, self.case))
        if figure is None:
            return None
        if self.measure == RATIO:
            return figures.ratio(variant, database, self.case)
        return figure.queries if self.measure == QUERIES else figure.milliseconds

    def is_broken(self, figures: Figures, variant: Variant, database: str) -> bool:
        value = self.value(figures, variant, database)
        return value is not None and value > self.bound

    def __str__(self) -> str:
        return f"{self.measure} ≤ {self.bound:g}"


def _promise(case: Case, measure: str, bound: float, *variants: Variant) -> Promise:
    return Promise(case=case, variants=variants, measure=measure, bound=bound)


PROMISES = (
    _promise(Case.VISITOR, QUERIES, 0, OUR_CACHED_DB, OUR_CACHED_DB_OWN),
    _promise(
        Case.SIGNED_IN, QUERIES, 1, OUR_DB_OWN, OUR_DB_PREPARED, OUR_CACHED_DB_OWN
    ),
    _promise(Case.SIGNED_IN, RATIO, 0.45, OUR_DB_OWN),
    _promise(Case.SIGNED_IN, RATIO, 0.9, OUR_DB),
    _promise(Case.SIGNED_IN, RATIO, 0.85, OUR_CACHED_DB_OWN),
    _promise(Case.SIGNED_IN, RATIO, 1.05, OUR_CACHED_DB),
    _promise(Case.CHANGED, RATIO, 0.8, *ALL_OURS),
    _promise(Case.SIGN_IN, RATIO, 1.0, *ALL_OURS),
    _promise(Case.DEVICES_500, MILLISECONDS, 15, *ALL_OURS),
    _promise(Case.ENDING_50, RATIO, 3, OUR_DB, OUR_DB_OWN, OUR_DB_PREPARED),
    _promise(Case.ENDING_50, RATIO, 6, OUR_CACHED_DB, OUR_CACHED_DB_OWN),
)


def made(case: Case, variant: Variant) -> list[Promise]:
    return [
        promise
        for promise in PROMISES
        if promise.case == case and variant in promise.variants
    ]


def broken(figures: Figures) -> Iterator[str]:
    """Yield a line for each broken promise."""
    for variant, database, case in figures:
        for promise in made(case, variant):
            if promise.is_broken(figures, variant, database):
                value = promise.value(figures, variant, database)
                yield f"{case}: {variant.name}, {database}: {value:.2f}, not {promise}"
    yield from _growing(figures)


def _growing(figures: Figures) -> Iterator[str]:
    """Yield a line for each devices page with more queries for more sessions."""
    counts: dict[tuple[Variant, str], set[int]] = defaultdict(set)
    for (variant, database, case), figure in figures.items():
        if case in DEVICES and variant in ALL_OURS:
            counts[variant, database].add(figure.queries)
    for (variant, database), found in counts.items():
        if len(found) > 1:
            yield f"devices page: {variant.name}, {database}: {sorted(found)} queries"
