from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.utils import formats, timezone
from django.utils.translation import get_language, override

from wagtail_user_sessions.devices_page import formatting
from wagtail_user_sessions.devices_page.formatting import DateFormatter

VALUE = datetime(2026, 3, 15, 22, 30, 45, 123456, tzinfo=UTC)
# The expected texts: DateFormatter replaces this filter.
FILTERS = Template(
    '{{ value|date:"c" }}|{{ value|date:"DATE_FORMAT" }}|{{ value|date:"TIME_FORMAT" }}'
)


def filtered(value):
    return FILTERS.render(Context({"value": value}))


def formatted(value):
    parts = DateFormatter().format(value)
    return f"{parts['iso']}|{parts['date']}|{parts['time']}"


@pytest.fixture(autouse=True)
def in_utc():
    """Tells times in UTC, whatever zone the tests run in."""
    with timezone.override("UTC"):
        yield


@pytest.fixture
def set_formats(monkeypatch):
    """Return a function that sets the site's formats of dates and times."""

    def set_formats(date, time):
        for name, value in (("DATE_FORMAT", date), ("TIME_FORMAT", time)):
            key = (name, get_language())
            monkeypatch.setitem(formats._format_cache, key, value)

    return set_formats


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "nl", "ar", "ja"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/New_York"])
def test_format_equals_the_date_filter(language, zone):
    with override(language), timezone.override(zone):
        for hours in (0, 1, 14, 24 * 100):
            value = VALUE - timedelta(hours=hours)
            assert formatted(value) == filtered(value)


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
def test_format_with_formats_of_the_site_equals_the_date_filter(
    set_formats, date, time
):
    set_formats(date, time)
    for zone in ("UTC", "Asia/Kolkata"):
        for value in (VALUE, VALUE + timedelta(seconds=7)):
            with timezone.override(zone):
                assert formatted(value) == filtered(value)


def test_format_with_seconds_differs_within_a_minute(set_formats):
    set_formats("j", "H:i:s")
    later = VALUE + timedelta(seconds=1)
    assert DateFormatter().format(VALUE)["time"] == "22:30:45"
    assert DateFormatter().format(later)["time"] == "22:30:46"


def test_format_without_use_tz_keeps_the_time(settings):
    settings.USE_TZ = False
    naive = VALUE.replace(tzinfo=None)
    assert formatted(naive) == filtered(naive)
    assert formatted(naive).startswith("2026-03-15T22:30:45.123456|")


def test_a_formatter_keeps_its_language():
    formatting._cached_text.cache_clear()
    with override("de"):
        german = DateFormatter()
    with override("fr"):
        assert german.format(VALUE)["date"] == "15. März 2026"
        assert DateFormatter().format(VALUE)["date"] == "15 mars 2026"
    assert german.format(VALUE)["date"] == "15. März 2026"


def test_each_day_and_each_minute_is_formatted_once():
    formatting._cached_text.cache_clear()
    for minutes in (0, 0, 1, 1):
        DateFormatter().format(VALUE + timedelta(minutes=minutes))
    assert formatting._cached_text.cache_info().misses == 3
