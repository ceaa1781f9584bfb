"""One engine in a process of its own, which measures on command.

It reads commands as lines of JSON, and answers each with a line. The first line of
output has the cases. At the end of the input it removes what it has made, and exits.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import django

from benchmarks.measuring import seconds

from .cases import Case

if TYPE_CHECKING:
    from .preparations import Prepare

# Runs before the timed ones: other workers have filled the processor's caches.
WARM_UP = 10


def main() -> None:
    output, sys.stdout = sys.stdout, sys.stderr
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.engines.settings"
    for answer in _answers():
        print(json.dumps(answer), file=output, flush=True)


def _answers() -> Iterator[dict[str, Any]]:
    try:
        django.setup()
    except ImportError as error:
        yield {"missing": str(error)}
        return
    from . import stores

    try:
        prepared = _prepare()
        yield {"cases": list(prepared), "versions": stores.versions()}
        for line in sys.stdin:
            yield _measure(prepared, json.loads(line))
    finally:
        stores.remove()


def _prepare() -> dict[Case, Prepare]:
    from . import preparations, stores

    stores.create()
    only = os.environ["BENCHMARK_ONLY"]
    cases = [case for case in Case if only in case or case is Case.BARE_DELETE]
    found = {case: preparations.prepare(case) for case in cases}
    stores.vacuum()
    return {case: ready for case, ready in found.items() if ready is not None}


def _measure(
    prepared: Mapping[Case, Prepare], command: Mapping[str, Any]
) -> dict[str, Any]:
    from . import counting

    prepare = prepared[Case(command["case"])]
    if command["runs"] == 0:
        prepare()()
        return counting.count(prepare())
    return _times(prepare, runs=command["runs"], limit=command["seconds"])


def _times(prepare: Prepare, *, runs: int, limit: float) -> dict[str, list[float]]:
    """Return the seconds of so many runs; of fewer, once they have taken ``limit``.

    If one run takes longer than ``limit``, it is the only one. Beside them are the
    seconds of CPU that the database's server took for each run, where they are known.
    """
    from . import server

    cpu_seconds = server.find_cpu_clock()
    times: list[float] = []
    cpu: list[float] = []

    def measure() -> None:
        run = prepare()
        before = cpu_seconds()
        times.append(seconds(run))
        if (after := cpu_seconds()) is not None and before is not None:
            cpu.append(after - before)

    for _ in range(WARM_UP):
        measure()
        if times[-1] > limit:
            return {"times": times[-1:], "server": cpu[-1:]}
    times.clear()
    cpu.clear()
    while len(times) < runs and sum(times) < limit:
        measure()
    return {"times": times, "server": cpu}


if __name__ == "__main__":
    main()
