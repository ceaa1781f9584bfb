"""The share of a page that its picture takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

from wagtail_user_sessions.wagtail_admin import charts

from .measuring import Measured, seconds


def measure(page: Callable[[], object], *, runs: int) -> Measured:
    """Seconds spent in drawing, in each of so many runs. The rows that are drawn
    are those that were read for the count, so that there is no query of its own.
    """
    times: list[float] = []
    draw = charts.build_charts

    def drawn(facts: Any) -> list[charts.Chart]:
        charts: list[charts.Chart] = []
        times.append(seconds(lambda: charts.extend(draw(facts))))
        return charts

    with mock.patch.object(charts, "build_charts", drawn):
        for _ in range(runs + 1):
            page()
    return Measured(times=tuple(times[1:]), queries=0)
