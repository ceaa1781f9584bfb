"""Bar charts above the listing: kinds of device, countries and hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from wagtail_user_sessions.client.user_agent import DeviceKind

from . import time_zone

# The most common countries have a bar each; one more bar is for the others.
COUNTRIES = 8
# The length of the longest bar, in units of the SVG drawing.
LENGTH = 100


@dataclass(frozen=True, kw_only=True)
class Bar:
    label: str
    count: int
    # Count divided by that of the chart's longest bar, from 0 to 1.
    share: float
    # Index in the chart.
    position: int = 0

    @property
    def length(self) -> float:
        """In units of the drawing, with a minimum, so that one session can be seen."""
        return round(max(self.share * LENGTH, 1.5), 2) if self.count else 0

    @property
    def top(self) -> float:
        """The top of an upright bar."""
        return LENGTH - self.length

    @property
    def left(self) -> int:
        """The left edge of an upright bar, with a unit of space on both sides."""
        return self.position * 10 + 1


@dataclass(frozen=True, kw_only=True)
class Chart:
    name: str
    title: str
    bars: Sequence[Bar]


def build_charts(rows: Iterable[Sequence[Any]]) -> list[Chart]:
    """Return the charts of sessions.

    Each row has the kind of device, the country code, and the time of the last
    activity or ``None``.
    """
    kinds: Counter[str] = Counter()
    countries: Counter[str] = Counter()
    hours: Counter[int] = Counter()
    zone = time_zone.zone()
    for kind, country, last_activity in rows:
        kinds[kind] += 1
        countries[country] += 1
        if last_activity is not None:
            hours[last_activity.astimezone(zone).hour] += 1
    return [
        _chart("kind", _("Kind of device"), _kinds(kinds)),
        _chart("country", _("Country"), _countries(countries)),
        _chart(
            "hour",
            _("Hour of the last activity (%(zone)s)") % {"zone": time_zone.zone_name()},
            [(f"{hour:02}", hours[hour]) for hour in range(24)],
        ),
    ]


def _chart(name: str, title: str, counts: Sequence[tuple[str, int]]) -> Chart:
    most = max((count for _label, count in counts), default=0) or 1
    bars = [
        Bar(label=label, count=count, share=count / most, position=position)
        for position, (label, count) in enumerate(counts)
    ]
    return Chart(name=name, title=title, bars=bars)


def _kinds(counts: Counter[str]) -> list[tuple[str, int]]:
    return [
        (str(capfirst(DeviceKind(kind).label)), count)
        for kind, count in counts.most_common()
        if kind in DeviceKind.values
    ]


def _countries(counts: Counter[str]) -> list[tuple[str, int]]:
    unknown = counts.pop("", 0)
    shown = counts.most_common(COUNTRIES)
    others = counts.total() - sum(count for _label, count in shown)
    rest = [(_("Others"), others), (_("Unknown"), unknown)]
    return [*shown, *((label, count) for label, count in rest if count)]
