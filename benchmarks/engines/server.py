"""The CPU that PostgreSQL's server takes for this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from django.db import connection

NANOSECONDS = 1e9


def find_cpu_clock() -> Callable[[], float | None]:
    """Return a function for the seconds of CPU that the connection's server process has
    taken; it returns ``None`` if that can't be known.

    Linux counts them for processes of the same machine, to the nanosecond, in the first
    number of ``schedstat``: https://docs.kernel.org/scheduler/sched-stats.html
    """
    if connection.vendor != "postgresql":
        return lambda: None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    path = Path(f"/proc/{pid}/schedstat")

    def cpu_seconds() -> float | None:
        try:
            return int(path.read_text().split()[0]) / NANOSECONDS
        except OSError:
            return None

    return cpu_seconds
