"""The time of a call, and the number of its queries."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection
from django.test.utils import CaptureQueriesContext


@dataclass(frozen=True, kw_only=True)
class Measured:
    # Seconds, one for each run.
    times: tuple[float, ...]
    queries: int

    @property
    def median(self) -> float:
        return statistics.median(self.times)

    @property
    def worst(self) -> float:
        return max(self.times)


def measure(call: Callable[[], object], *, runs: int) -> Measured:
    """Call once to warm up and once to count the queries; then ``runs`` times."""
    call()
    with CaptureQueriesContext(connection) as captured:
        call()
    # Now, because the next request empties the log.
    queries = len(captured)
    return Measured(times=tuple(seconds(call) for _ in range(runs)), queries=queries)


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
