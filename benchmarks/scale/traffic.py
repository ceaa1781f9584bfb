"""Requests of signed-in pages during a measurement, by a process of its own.

``python -m benchmarks.scale.traffic`` stops at a line of input. Then it prints the
number of pages, and the seconds of the slowest one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from types import TracebackType

VISITORS = 20
# Seconds between two pages, so that the machine is busy, but not at its limit.
PAUSE = 0.005


class Traffic:
    """Requests pages during its block; afterwards has their number and the slowest."""

    pages = 0
    slowest = 0.0

    def __enter__(self) -> Traffic:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.scale.traffic"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
        )
        assert self._process.stdout
        self._process.stdout.readline()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        answer, _ = self._process.communicate("stop\n")
        if kind is None:
            pages, slowest = answer.split()
            self.pages, self.slowest = int(pages), float(slowest)


def main() -> None:
    import django

    django.setup()
    clients = _signed_in()
    stopped = threading.Event()
    threading.Thread(
        target=lambda: (sys.stdin.readline(), stopped.set()), daemon=True
    ).start()
    print("ready", flush=True)
    times = []
    while not stopped.is_set():
        for client in clients:
            start = time.perf_counter()
            assert client.get("/whoami/").content != b"nobody"
            times.append(time.perf_counter() - start)
            time.sleep(PAUSE)
    print(len(times), max(times))


def _signed_in() -> list[object]:
    from django.contrib.auth import get_user_model
    from django.test import Client

    users = get_user_model().objects.filter(is_active=True)[:VISITORS]
    clients = [Client() for _ in users]
    for client, user in zip(clients, users, strict=True):
        client.force_login(user)
        # Warm up: compile queries and write activity, which happens only once.
        for _ in range(3):
            client.get("/whoami/")
    return clients


if __name__ == "__main__":
    main()
