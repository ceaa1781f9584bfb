"""The run: all workers take turns in short slices.

So a slow phase of the machine slows all of them down alike.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence

from .cases import Case
from .figures import Figure, Figures
from .process import Worker

# By name: "times" and "server".
Times = dict[tuple[Worker, Case], dict[str, list[float]]]

# Runs in a slice, and seconds after which it ends.
RUNS = 60
SECONDS = 0.2


def measure(
    workers: Sequence[Worker], *, rounds: int, say: Callable[[str], None]
) -> Figures:
    times: Times = defaultdict(lambda: defaultdict(list))
    for number in range(rounds):
        for case in Case:
            _add_slice(times, [one for one in workers if case in one.cases], case)
        say(f"Round {number + 1} of {rounds}")
    return _counted(workers, times)


def _counted(workers: Sequence[Worker], times: Times) -> Figures:
    """Count queries last, with sessions that have been in use for a while."""
    return Figures(
        {
            (one.variant, one.database, case): Figure(
                **times[one, case], **one.count(case)
            )
            for one in workers
            for case in one.cases
        }
    )


def _add_slice(times: Times, workers: list[Worker], case: Case) -> None:
    for worker in random.sample(workers, len(workers)):
        measured = worker.times(case, runs=RUNS, limit=SECONDS)
        for name, values in measured.items():
            times[worker, case][name] += values
