"""Figures by variant, database and case."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .cases import DEVICES, Case
from .variants import DJANGO_BY_KIND, OUR_DB, Variant


@dataclass(frozen=True, kw_only=True)
class Figure:
    queries: int
    # Statements that only begin or end a transaction.
    transaction: int
    # Calls of the cache by their name.
    cache: Mapping[str, int]
    # Seconds, one for each run.
    times: Sequence[float]
    # Seconds of CPU of the database's server, one for each run; empty if unknown.
    server: Sequence[float]

    @property
    def milliseconds(self) -> float:
        return statistics.median(self.times) * 1000

    @property
    def server_milliseconds(self) -> float | None:
        return statistics.median(self.server) * 1000 if self.server else None

    @property
    def spread(self) -> tuple[float, float]:
        """The first and the last decile of the times, in milliseconds."""
        if len(self.times) < 2:
            return self.milliseconds, self.milliseconds
        tenths = statistics.quantiles(self.times, n=10, method="inclusive")
        return tenths[0] * 1000, tenths[-1] * 1000


class Figures(dict[tuple[Variant, str, Case], Figure]):
    def ratio(self, variant: Variant, database: str, case: Case) -> float | None:
        """Return the median divided by that of Django's engine of the same kind.

        Django has no way to end a user's sessions, so that case is compared with a
        bare DELETE. ``None`` if nothing is there to compare with.
        """
        reference = (DJANGO_BY_KIND[variant.kind], database, case)
        if case in (Case.ENDING_50, Case.BARE_DELETE):
            reference = (OUR_DB, database, Case.BARE_DELETE)
        key = (variant, database, case)
        if case in DEVICES or key not in self or reference not in self:
            return None
        return self[key].milliseconds / self[reference].milliseconds
