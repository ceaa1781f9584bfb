"""Times in all that tells one: the site is in Tokyo, and the viewer in New York.

Each time of a session is at 3:34 in UTC, of which only the viewer's day is the 30th.
"""

import csv
import io
import re
from datetime import UTC, datetime

import pytest
from django.core import mail
from django.utils import timezone
from openpyxl import load_workbook
from wagtail.users.models import UserProfile

from tests.urls_devices_page import URL as DEVICES
from tests.urls_devices_page import signed_in
from tests.wagtail_admin.conftest import (
    BULK,
    LIST,
    listed,
    set_zone,
    text_of,
    url,
)
from wagtail_user_sessions.models import Session

SITE, VIEWER = "Asia/Tokyo", "America/New_York"
PAST = datetime(2024, 12, 1, 3, 34, tzinfo=UTC)
EXPIRY = datetime(2099, 12, 1, 3, 34, tzinfo=UTC)
TIMES = {
    "created_at": PAST,
    "signed_in_at": PAST,
    "last_activity": PAST,
    "expire_date": EXPIRY,
}
IN_UTC = re.compile(r"\b0?3:34\b|\b03:00\b")
IN_SITE = re.compile(r"\b12:34\b|Dec\. 1, 2(024|099)|2(024|099)-12-01")
IN_VIEWER = re.compile(r"\b(10|22):34\b|Nov\. 30, 2(024|099)|2(024|099)-11-30")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_tokyo(settings):
    settings.TIME_ZONE = SITE


@pytest.fixture
def superuser(person):
    user = person("sue", is_superuser=True, is_staff=True)
    set_zone(user, VIEWER)
    return user


@pytest.fixture
def sue(superuser):
    browser = signed_in(superuser)
    now = timezone.now()
    Session.objects.update(created_at=now, signed_in_at=now, last_activity=now)
    return browser


@pytest.fixture
def row(make_row, person):
    row = make_row(person("vera", access=False), name="Kitchen")
    Session.objects.filter(pk=row.pk).update(**TIMES)
    return row


def content(response):
    if response.streaming:
        return b"".join(response.streaming_content).decode()
    return response.content.decode()


def only_in_viewers_zone(text):
    """Return how often the text tells a time, which is always the viewer's."""
    assert not IN_UTC.search(text)
    assert not IN_SITE.search(text)
    return len(IN_VIEWER.findall(text))


def test_the_listing_tells_the_viewers_time(sue, row):
    page = content(sue.get(LIST, {"user": row.user_id}))
    # A text for people and one for machines, of three columns.
    assert only_in_viewers_zone(page) >= 6
    assert "Nov. 30, 2024, 10:34 p.m." in page
    assert 'title="Nov. 30, 2099, 10:34 p.m."' in page


def test_the_picture_counts_the_viewers_hours(sue, row):
    response = sue.get(LIST, {"user": row.user_id})
    (chart,) = (one for one in response.context["charts"] if one.name == "hour")
    assert chart.title == f"Hour of the last activity ({VIEWER})"
    assert [bar.label for bar in chart.bars if bar.count] == ["22"]


@pytest.mark.parametrize("name", ["signed_in_at", "last_activity"])
@pytest.mark.parametrize("day", [29, 30, 31])
def test_a_filter_takes_days_of_the_viewer(sue, row, name, day):
    date = "2024-12-01" if day == 31 else f"2024-11-{day}"
    query = {"user": row.user_id, f"{name}_from": date, f"{name}_to": date}
    response = sue.get(LIST, query)
    assert listed(response) == ([str(row.pk)] if day == 30 else [])
    everything = {**query, "id": "all"}
    assert ("Kitchen" in text_of(sue.get(BULK, everything))) is (day == 30)


def test_the_page_of_a_session_tells_the_viewers_time_and_the_zone(sue, row):
    response = sue.get(url("inspect", row.pk))
    assert only_in_viewers_zone(content(response)) >= 8
    text = text_of(response)
    for label in ("Signed in", "Last activity", "Created"):
        assert f"{label} Nov. 30, 2024, 10:34 p.m." in text
    assert "Expires Nov. 30, 2099, 10:34 p.m." in text
    assert f"Times are those of the zone {VIEWER}." in text


def test_the_history_and_the_sites_log_tell_the_viewers_time(
    sue,
    row,
    make_row,
    django_capture_on_commit_callbacks,
):
    other = make_row(row.user)
    with django_capture_on_commit_callbacks(execute=True):
        sue.post(url("delete", other.pk), {"reason": "lost"})
    from wagtail.models import ModelLogEntry

    assert ModelLogEntry.objects.update(timestamp=PAST)
    for address in (url("inspect", row.pk), "/admin/reports/site-history/"):
        page = content(sue.get(address))
        assert only_in_viewers_zone(page) >= 2
        assert "Nov. 30, 2024, 10:34 p.m." in page


def test_a_csv_file_has_the_viewers_time_with_its_offset(sue, row):
    text = content(sue.get(LIST, {"export": "csv", "user": row.user_id}))
    assert only_in_viewers_zone(text) >= 4
    (found,) = csv.DictReader(io.StringIO(text))
    for label in ("Signed in", "Last activity", "Created"):
        assert found[f"{label} ({VIEWER})"] == "2024-11-30 22:34:00-05:00"
    assert found[f"Expires ({VIEWER})"] == "2099-11-30 22:34:00-05:00"


def test_a_workbook_has_the_viewers_time_and_names_the_zone(sue, row):
    response = sue.get(LIST, {"export": "xlsx", "user": row.user_id})
    heading, values = load_workbook(io.BytesIO(response.getvalue())).active.values
    found = dict(zip(heading, values, strict=True))
    for label in ("Signed in", "Last activity", "Created"):
        assert found[f"{label} ({VIEWER})"] == datetime(2024, 11, 30, 22, 34)
    assert found[f"Expires ({VIEWER})"] == datetime(2099, 11, 30, 22, 34)


def test_exports_name_the_sites_zone_where_times_are_naive(settings):
    from wagtail_user_sessions.wagtail_admin.time_zone import local, zone_name

    settings.USE_TZ = False
    with timezone.override(VIEWER):
        assert zone_name() == SITE
        assert local(datetime(2024, 12, 1)) == datetime(2024, 12, 1)


@pytest.mark.parametrize("export", ["csv", "xlsx"])
def test_an_export_is_in_the_viewers_language(sue, superuser, row, export):
    profile = UserProfile.get_for_user(superuser)
    profile.preferred_language = "de"
    profile.save()
    response = sue.get(LIST, {"export": export, "user": row.user_id})
    if export == "csv":
        heading, values = csv.reader(io.StringIO(content(response)))
    else:
        heading, values = load_workbook(io.BytesIO(response.getvalue())).active.values
    assert "Benutzer" in heading
    assert "Aktiv" in values


def test_the_own_devices_in_the_admin_tell_the_viewers_time(sue, superuser):
    phone = signed_in(superuser)
    Session.objects.filter(pk=phone.session.id).update(**TIMES)
    page = content(sue.get("/admin/account/devices/"))
    assert only_in_viewers_zone(page) >= 6
    assert "10:34 p.m." in page
    fragment = sue.get("/admin/account/devices/", headers={"HX-Request": "true"})
    assert only_in_viewers_zone(content(fragment)) >= 6


def test_the_devices_page_tells_the_sites_time_or_that_which_is_active(
    superuser, client
):
    here = signed_in(superuser)
    phone = signed_in(superuser)
    Session.objects.filter(pk=phone.session.id).update(**TIMES)
    page = content(here.get(DEVICES))
    assert "Dec. 1, 2024 12:34 p.m." in page
    assert "2024-12-01T12:34:00+09:00" in page
    assert not IN_UTC.search(page)
    assert not IN_VIEWER.search(page)


def test_djangos_admin_tells_the_sites_time(sue, row):
    for address in (
        "/django-admin/wagtail_user_sessions/session/",
        f"/django-admin/wagtail_user_sessions/session/{row.pk}/change/",
    ):
        page = content(sue.get(address))
        assert "Dec. 1, 2024, 12:34 p.m." in page
        assert "Dec. 1, 2099, 12:34 p.m." in page
        assert not IN_UTC.search(page)
        assert not IN_VIEWER.search(page)


def test_questions_messages_and_mails_tell_no_time_of_another_zone(sue, row):
    addresses = (
        url("delete", row.pk),
        url("revoke_user", row.user_id),
        url("revoke_everybody"),
        f"{BULK}?id={row.pk}",
        "/admin/account/",
        "/admin/users/",
        f"/admin/users/edit/{row.user_id}/",
        "/admin/",
        f"{DEVICES}?confirm={row.pk}",
    )
    for address in addresses:
        only_in_viewers_zone(content(sue.get(address)))
    response = sue.post(url("delete", row.pk), follow=True)
    assert "1 session was signed out." in text_of(response)
    only_in_viewers_zone(content(response))
    assert not mail.outbox
