"""The time that a page spends on its charts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

from wagtail_user_sessions.wagtail_admin import charts

from .measuring import Measured, seconds


def measure(page: Callable[[], object], *, runs: int) -> Measured:
    """Return the seconds in ``build_charts()`` in each run.

    The charts take the rows that were read for the count, and make no query.
    """
    times: list[float] = []
    build_charts = charts.build_charts

    def timed(rows: Any) -> list[charts.Chart]:
        built: list[charts.Chart] = []
        times.append(seconds(lambda: built.extend(build_charts(rows))))
        return built

    with mock.patch.object(charts, "build_charts", timed):
        for _ in range(runs + 1):
            page()
    return Measured(times=tuple(times[1:]), queries=0)
