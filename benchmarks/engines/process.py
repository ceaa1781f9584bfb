"""The driver's side of a worker: it starts the process and sends it commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from .cases import Case
from .variants import Variant

ROOT = Path(__file__).resolve().parent.parent.parent


class Worker:
    """A worker process. With an error in ``missing`` it accepts no command."""

    def __init__(
        self, variant: Variant, *, database: str, folder: str, only: str
    ) -> None:
        self.variant, self.database = variant, database
        self.process = _start(
            BENCHMARK_VARIANT=variant.slug,
            BENCHMARK_DATABASE=database,
            BENCHMARK_NAME=f"benchmark_{os.getpid()}_{variant.slug}",
            BENCHMARK_FOLDER=folder,
            BENCHMARK_ONLY=only,
        )
        try:
            self._introduce(**self._answer())
        except BaseException:
            self.stop()
            raise

    def _introduce(
        self,
        *,
        missing: str = "",
        cases: Sequence[str] = (),
        versions: Sequence[str] = (),
    ) -> None:
        self.missing, self.versions = missing, versions
        self.cases = tuple(map(Case, cases))

    def count(self, case: Case) -> dict[str, Any]:
        return self._ask(case=case, runs=0)

    def times(self, case: Case, *, runs: int, limit: float) -> dict[str, list[float]]:
        """Return the seconds of each run, and those of the server; see ``worker``."""
        return self._ask(case=case, runs=runs, seconds=limit)

    def stop(self) -> None:
        """Close its input: the worker removes what it has made, and exits."""
        self._pipe("stdin").close()
        self.process.wait()
        self._pipe("stdout").close()

    def _ask(self, **command: object) -> dict[str, Any]:
        print(json.dumps(command), file=self._pipe("stdin"), flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._pipe("stdout").readline()
        if not line:
            raise RuntimeError(f"{self.variant.name} on {self.database} has stopped")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _pipe(self, name: str) -> IO[str]:
        pipe: IO[str] = getattr(self.process, name)
        return pipe


def _start(**environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.engines.worker"],
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl+C stops only the driver, which then stops each worker in order.
        start_new_session=True,
    )
