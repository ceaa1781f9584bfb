from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.utils import formats, timezone
from django.utils.translation import get_language, override

from wagtail_user_sessions.devices_page import formatting
from wagtail_user_sessions.devices_page.formatting import DateFormatter

MOMENT = datetime(2026, 3, 15, 22, 30, 45, 123456, tzinfo=UTC)
# What a template would write in its place.
FILTERS = Template(
    '{{ moment|date:"c" }}|{{ moment|date:"DATE_FORMAT" }}|{{ moment|date:"TIME_FORMAT" }}'
)


def filtered(moment):
    return FILTERS.render(Context({"moment": moment}))


def written(moment, calendar=None):
    found = (calendar or DateFormatter()).write(moment)
    return f"{found['iso']}|{found['date']}|{found['time']}"


@pytest.fixture
def style(monkeypatch):
    """Has the site write dates and times in styles of its own."""

    def set_style(date, time):
        for name, value in (("DATE_FORMAT", date), ("TIME_FORMAT", time)):
            key = (name, get_language())
            monkeypatch.setitem(formats._format_cache, key, value)

    return set_style


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "nl", "ar", "ja"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/New_York"])
def test_a_moment_is_written_as_the_filter_date_does(language, zone):
    with override(language), timezone.override(zone):
        for hours in (0, 1, 14, 24 * 100):
            moment = MOMENT - timedelta(hours=hours)
            assert written(moment) == filtered(moment)


@pytest.mark.parametrize(
    ("date", "time"),
    [
        ("c", "H:i:s.u"),
        ("N j, Y H:i", "P T"),
        ("r", "e O Z U"),
        ("D jS F y, L t z I", "D H:i"),
        ("j \\d\\e F", "G \\h i"),
        ("<b>'j'</b>", '"P" o\'clock'),
    ],
)
def test_a_style_of_the_sites_own_may_tell_anything(style, date, time):
    style(date, time)
    for zone in ("UTC", "Asia/Kolkata"):
        for moment in (MOMENT, MOMENT + timedelta(seconds=7)):
            with timezone.override(zone):
                assert written(moment) == filtered(moment)


def test_the_same_minute_is_told_apart_by_a_style_with_seconds(style):
    style("j", "H:i:s")
    later = MOMENT + timedelta(seconds=1)
    assert DateFormatter().write(MOMENT)["time"] == "22:30:45"
    assert DateFormatter().write(later)["time"] == "22:30:46"


def test_without_time_zones_a_moment_is_written_as_it_is(settings):
    settings.USE_TZ = False
    naive = MOMENT.replace(tzinfo=None)
    assert written(naive) == filtered(naive)
    assert written(naive).startswith("2026-03-15T22:30:45.123456|")


def test_a_calendar_keeps_its_language_and_spoils_no_other():
    formatting._kept_text.cache_clear()
    with override("de"):
        german = DateFormatter()
    with override("fr"):
        assert german.write(MOMENT)["date"] == "15. März 2026"
        assert DateFormatter().write(MOMENT)["date"] == "15 mars 2026"
    assert german.write(MOMENT)["date"] == "15. März 2026"


def test_a_day_and_a_minute_are_written_once():
    formatting._kept_text.cache_clear()
    for minutes in (0, 0, 1, 1):
        DateFormatter().write(MOMENT + timedelta(minutes=minutes))
    assert formatting._kept_text.cache_info().misses == 3
