"""The bar charts above the listing."""

import re
from datetime import UTC, datetime

import pytest
from django.utils import timezone

from tests.wagtail_admin.conftest import LIST, set_zone, text_of
from wagtail_user_sessions.wagtail_admin import paginator
from wagtail_user_sessions.wagtail_admin.charts import COUNTRIES, build_charts

NOON = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def bars(charts, name):
    chart = next(chart for chart in charts if chart.name == name)
    return [(bar.label, bar.count) for bar in chart.bars]


def tables(response):
    """The figures of the charts, by the titles of their tables."""
    found = {}
    for table in re.findall(
        r"<table>\s*<caption>.*?</table>", response.content.decode(), re.S
    ):
        caption = re.search(r"<caption>(.*?)</caption>", table)[1]
        found[caption] = dict(
            re.findall(r'<th scope="row">(.*?)</th>\s*<td>(.*?)</td>', table)
        )
    return found


def test_kinds_and_countries_are_counted_the_most_common_first():
    charts = build_charts(
        [["mobile", "GB", NOON], ["mobile", "FR", NOON], ["desktop", "GB", None]]
    )
    assert bars(charts, "kind") == [("Mobile", 2), ("Desktop", 1)]
    assert bars(charts, "country") == [("GB", 2), ("FR", 1)]


def test_rare_countries_and_unknown_ones_come_last():
    codes = [f"A{letter}" for letter in "ABCDEFGHIJ"]
    charts = build_charts([["bot", code, NOON] for code in [*codes, *codes, "ZZ", ""]])
    *shown, others, unknown = bars(charts, "country")
    assert len(shown) == COUNTRIES
    assert others == ("Others", 5)
    assert unknown == ("Unknown", 1)


@pytest.mark.django_db
def test_hours_are_those_of_the_viewers_time_zone(sue, superuser, visitor, make_row):
    set_zone(superuser, "Asia/Kolkata")
    make_row(visitor, country="JP", last_activity=NOON)
    figures = tables(sue.get(LIST, {"country": "JP"}))
    assert figures["Hour of the last activity (Asia/Kolkata)"]["18"] == "1"


def test_the_title_names_the_zone_of_the_settings_where_times_are_naive(settings):
    settings.USE_TZ, settings.TIME_ZONE = False, "Asia/Kolkata"
    with timezone.override("Asia/Tokyo"):
        titles = [chart.title for chart in build_charts([("mobile", "GB", None)])]
    assert titles[-1] == "Hour of the last activity (Asia/Kolkata)"


def test_bar_lengths_are_relative_to_the_longest_bar():
    charts = build_charts([["mobile", "", NOON]] * 3 + [["desktop", "", NOON]])
    lengths = [bar.length for bar in charts[0].bars]
    assert lengths == [100, 33.33]


@pytest.mark.django_db
def test_the_charts_stand_above_the_listing_and_follow_its_filters(
    sue, superuser, visitor, make_row
):
    set_zone(superuser, "UTC")
    make_row(visitor, device_kind="mobile", country="JP", last_activity=NOON)
    make_row(visitor, device_kind="tablet", country="JP")
    make_row(visitor, country="JP", expire_date=NOON)
    page = sue.get(LIST, {"country": "JP"})
    figures = tables(page)
    assert figures["Kind of device"] == {"Mobile": "1", "Tablet": "1"}
    assert figures["Country"] == {"JP": "2"}
    assert figures["Hour of the last activity (UTC)"]["12"] in {"1", "2"}
    assert "Active sessions: 2" in text_of(page)
    assert '<svg class="wus-columns"' in page.content.decode()
    figures = tables(sue.get(LIST, {"country": "JP", "device_kind": "tablet"}))
    assert figures["Kind of device"] == {"Tablet": "1"}


@pytest.mark.django_db
def test_a_listing_of_inactive_sessions_has_no_charts(sue, make_row):
    make_row()
    assert not tables(sue.get(LIST, {"status": "visitor"}))


@pytest.mark.django_db
def test_the_charts_of_a_capped_listing_show_the_newest_sessions_in_any_order(
    sue, visitor, make_row, monkeypatch
):
    monkeypatch.setattr(paginator, "MAX_ROWS", 2)
    for kind in ("mobile", "mobile", "mobile", "bot", "bot"):
        make_row(visitor, device_kind=kind)
    page = sue.get(LIST, {"user": visitor.pk, "ordering": "signed_in_at"})
    assert tables(page)["Kind of device"] == {"Mobile": "3"}
    assert "the newest of 2+" in text_of(page)


@pytest.mark.django_db
def test_the_charts_have_no_inline_style_or_script(sue):
    page = sue.get(LIST).content.decode()
    picture = page[
        page.index("wus-picture") : page.index("</section>", page.index("wus-picture"))
    ]
    assert "style=" not in picture
    assert "<script" not in picture
