"""The run: all workers by turns, in short slices, so that whatever slows the
machine down for a while slows all of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from .cases import Case
from .figures import Figure, Figures
from .process import Worker

# Runs in a slice, and seconds after which it ends.
RUNS = 10
SECONDS = 0.25


def measure(
    workers: Sequence[Worker], *, rounds: int, say: Callable[[str], None]
) -> Figures:
    figures = _counted(workers)
    for number in range(rounds):
        for case in Case:
            _measure_slice(figures, [one for one in workers if case in one.cases], case)
        say(f"Round {number + 1} of {rounds}")
    return figures


def _counted(workers: Sequence[Worker]) -> Figures:
    return Figures(
        {
            (worker.variant, worker.database, case): Figure(**worker.count(case))
            for worker in workers
            for case in worker.cases
        }
    )


def _measure_slice(figures: Figures, workers: list[Worker], case: Case) -> None:
    for worker in random.sample(workers, len(workers)):
        times = worker.times(case, runs=RUNS, limit=SECONDS)
        figures[worker.variant, worker.database, case].times += times
