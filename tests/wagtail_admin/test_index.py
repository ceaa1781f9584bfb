"""The listing: what it shows, finds, sorts, counts and exports."""

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import UserManager
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook

from tests.urls_devices_page import signed_in
from tests.wagtail_admin.conftest import LIST, listed, row_of, text_of, url
from wagtail_user_sessions.hashing import MARKER_KEY_HASH
from wagtail_user_sessions.models import Session
from wagtail_user_sessions.wagtail_admin import paginator
from wagtail_user_sessions.wagtail_admin.views.index import IndexView

pytestmark = pytest.mark.django_db


def found(client, **query):
    return set(listed(client.get(LIST, query)))


def ids(*rows):
    return {str(row.pk) for row in rows}


@pytest.fixture
def rows(visitor, person, make_row):
    """A row of each status, by its name."""
    gone = person("gone", is_active=False)
    yesterday = timezone.now() - timedelta(days=1)
    return {
        "active": make_row(visitor),
        "expired": make_row(visitor, expire_date=yesterday),
        "refused": make_row(gone),
        "visitor": make_row(),
    }


def test_the_listing_opens_with_the_active_sessions_of_users(sue, rows):
    assert found(sue) == ids(row_of(sue), rows["active"])


def test_the_not_before_marker_is_on_no_list(sue, rows, make_row):
    row = make_row()
    Session.objects.filter(pk=row.pk).update(
        key_hash=MARKER_KEY_HASH, signed_in_at=timezone.now() - timedelta(days=1)
    )
    assert found(sue, status="visitor") == ids(rows["visitor"])


@pytest.mark.parametrize("status", ["expired", "refused", "visitor"])
def test_the_status_filter_shows_only_rows_of_that_status(sue, rows, status):
    assert found(sue, status=status) == ids(rows[status])


def test_an_empty_status_shows_all_sessions(sue, rows):
    assert found(sue, status="") == ids(row_of(sue), *rows.values())


def test_a_row_shows_user_device_place_address_and_status(sue, visitor, make_row):
    make_row(
        visitor,
        browser="Firefox",
        os="Windows",
        device_kind="desktop",
        city="London",
        country="GB",
        ip="192.0.2.7",
        name="Kitchen",
    )
    page = sue.get(LIST, {"user": visitor.pk})
    text = text_of(page)
    for expected in ("Vera Visitor", "Kitchen", "Firefox on Windows", "London, GB"):
        assert expected in text
    assert "192.0.2.7" in text
    assert "Active" in text
    assert f'href="/admin/users/edit/{visitor.pk}/"' in page.content.decode()
    assert "avatar" in page.content.decode()


def test_the_own_session_is_marked(sue, visitor, make_row):
    make_row(visitor)
    assert text_of(sue.get(LIST)).count("This is you") == 1


def test_a_session_whose_password_has_changed_is_never_shown_as_active(sue, vera):
    visitor = row_of(vera).user
    assert (
        "Refused" not in text_of(sue.get(LIST, {"user": visitor.pk})).split("User")[-1]
    )
    visitor.set_password("new")
    visitor.save()
    page = sue.get(LIST, {"user": visitor.pk}).content.decode()
    tags = [part for part in page.split("w-status") if str(row_of(vera).pk) not in part]
    assert any("Refused" in part[:200] for part in tags)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("device_kind", "mobile"),
        ("browser", "Safari"),
        ("os", "iOS"),
        ("country", "JP"),
    ],
)
def test_the_listing_can_be_filtered_by_a_client_column(
    sue, visitor, make_row, name, value
):
    make_row(visitor)
    wanted = make_row(visitor, **{name: value})
    assert found(sue, **{name: value}) == ids(wanted)
    assert value in text_of(sue.get(LIST))


def test_the_listing_can_be_filtered_by_one_user_and_by_several(
    sue, visitor, person, make_row
):
    other, third = person("bob"), person("carl")
    mine, yours = make_row(visitor), make_row(other)
    make_row(third)
    assert found(sue, user=visitor.pk) == ids(mine)
    assert found(sue, user=[visitor.pk, other.pk]) == ids(mine, yours)


def test_the_listing_can_be_filtered_by_dates(sue, visitor, make_row):
    now = timezone.now()
    old = make_row(
        visitor,
        signed_in_at=now - timedelta(days=9),
        last_activity=now - timedelta(days=7),
    )
    new = make_row(visitor)
    day = (now - timedelta(days=3)).date().isoformat()
    for name in ("signed_in_at", "last_activity"):
        assert found(sue, user=visitor.pk, **{f"{name}_to": day}) == ids(old)
        assert found(sue, user=visitor.pk, **{f"{name}_from": day}) == ids(new)


@pytest.mark.parametrize(
    "query",
    [
        {"user": "x"},
        {"user": "99999999999999999999999"},
        {"browser": "\0"},
        {"status": "x"},
        {"signed_in_at_from": "yesterday"},
        {"signed_in_at_from": "0001-01-01"},
        {"last_activity_to": "9999-12-31"},
        {"ordering": "session_data"},
        {"p": "x"},
        {"p": "99999"},
        {"q": "\0"},
        {"device_kind": "x", "country": "x", "os": "x"},
    ],
)
def test_an_invalid_query_string_is_no_server_error(sue, query):
    assert sue.get(LIST, query).status_code == 200
    assert sue.get(url("list_results"), query).status_code == 200


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_first_and_last_possible_dates_are_no_error_in_any_zone(
    sue, settings, zone, day
):
    settings.TIME_ZONE = zone
    for name in ("signed_in_at_from", "last_activity_to"):
        assert sue.get(LIST, {name: day}).status_code == 200


def test_an_unknown_kind_of_device_is_no_error(sue, visitor, make_row):
    row = make_row(visitor, device_kind="fridge")
    assert found(sue, user=visitor.pk) == ids(row)


@pytest.mark.parametrize(
    "text",
    ["vera", "VERA", "Vera Visitor", "visitor vera", "vera@example.com", "203.0.113.7"],
)
def test_sessions_are_found_by_user_name_mail_address_and_ip(
    sue, visitor, person, make_row, text
):
    wanted = make_row(visitor, ip="203.0.113.7")
    make_row(person("bob"), ip="203.0.113.77")
    assert found(sue, q=text) == ids(wanted)


@pytest.mark.parametrize(
    ("text", "ip"),
    [
        ("198.51.", "198.51.100.7"),
        ("2001:db8:0:0::1", "2001:db8::1"),
        ("2001:DB8:", "2001:db8::1"),
    ],
)
def test_sessions_are_found_by_the_beginning_of_an_address(
    sue, visitor, make_row, text, ip
):
    wanted = make_row(visitor, ip=ip)
    make_row(visitor, ip="203.0.113.1")
    assert found(sue, q=text) == ids(wanted)


def test_a_search_without_a_match_finds_nothing(sue, visitor, make_row):
    make_row(visitor, ip="192.0.2.7")
    assert found(sue, q="nobody") == set()


@pytest.mark.parametrize(
    "column", ["user", "ip", "last_activity", "signed_in_at", "expire_date"]
)
def test_the_listing_can_be_sorted(sue, visitor, person, make_row, column):
    other = person("aaron")
    now = timezone.now()
    first = make_row(
        other,
        ip="192.0.2.1",
        last_activity=now - timedelta(days=3),
        signed_in_at=now - timedelta(days=3),
        expire_date=now + timedelta(hours=1),
    )
    last = make_row(
        visitor,
        ip="192.0.2.2",
        last_activity=now - timedelta(days=2),
        signed_in_at=now - timedelta(days=2),
        expire_date=now + timedelta(hours=2),
    )
    query = {"user": [visitor.pk, other.pk]}
    assert listed(sue.get(LIST, {**query, "ordering": column})) == [
        str(first.pk),
        str(last.pk),
    ]
    assert listed(sue.get(LIST, {**query, "ordering": f"-{column}"})) == [
        str(last.pk),
        str(first.pk),
    ]


def test_addresses_are_sorted_by_their_numbers(sue, visitor, make_row):
    in_order = ["9.9.9.9", "10.0.0.9", "10.0.0.10", "2001:db8::9", "2001:db8::10", None]
    made = {ip: str(make_row(visitor, ip=ip).pk) for ip in sorted(in_order, key=str)}
    expected = [made[ip] for ip in in_order]
    query = {"user": visitor.pk}
    assert listed(sue.get(LIST, {**query, "ordering": "ip"})) == expected
    assert listed(sue.get(LIST, {**query, "ordering": "-ip"})) == expected[::-1]
    rows = exported(sue, **query, ordering="ip")
    assert [row["Session"] for row in rows] == expected


def test_the_newest_sign_in_comes_first(sue, visitor, make_row):
    newer, older = make_row(visitor), make_row(visitor)
    assert listed(sue.get(LIST, {"user": visitor.pk})) == [str(newer.pk), str(older.pk)]


# Large tables


def test_pages_follow_each_other_without_gap_or_double(sue, visitor, make_row):
    made = ids(*(make_row(visitor) for _ in range(45)))
    pages = [listed(sue.get(LIST, {"user": visitor.pk, "p": p})) for p in (1, 2, 3)]
    assert [len(page) for page in pages] == [20, 20, 5]
    assert set().union(*pages) == made


def test_a_large_listing_is_counted_and_paged_up_to_a_limit(
    sue, visitor, make_row, monkeypatch
):
    monkeypatch.setattr(paginator, "MAX_ROWS", 30)
    for _ in range(31):
        make_row(visitor)
    page = sue.get(LIST, {"user": visitor.pk})
    assert "30+ user sessions" in text_of(page)
    assert "There are 30+ matches" in text_of(page)
    assert len(listed(sue.get(LIST, {"user": visitor.pk, "p": 99}))) == 10


def test_the_listing_takes_as_many_queries_for_fifty_rows_as_for_one(
    sue, person, make_row, monkeypatch
):
    monkeypatch.setattr(IndexView, "get_paginate_by", lambda view, rows: 50)
    sue.get(LIST)

    def count():
        with CaptureQueriesContext(connection) as queries:
            answer = sue.get(LIST)
        return len(listed(answer)), len(queries)

    shown, few = count()
    assert shown == 1
    assert few <= 9
    for number in range(49):
        make_row(person(f"user{number}", access=False))
    assert count() == (50, few)


def test_the_listing_reads_no_session_data(sue, visitor, make_row):
    make_row(visitor)
    with CaptureQueriesContext(connection) as queries:
        sue.get(LIST)
    reading = [query["sql"] for query in queries if "session_data" in query["sql"]]
    # This query reads the viewer's own session.
    assert len(reading) == 1


# The export


def exported(browser, **query):
    answer = browser.get(LIST, {"export": "csv", **query})
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_the_export_has_the_filtered_rows_without_key_or_data(sue, visitor, make_row):
    wanted = [make_row(visitor, session_data="secret") for _ in range(25)]
    rows = exported(sue, user=visitor.pk)
    assert {row["Session"] for row in rows} == ids(*wanted)
    assert {row["User"] for row in rows} == {"vera"}
    assert {row["Status"] for row in rows} == {"Active"}
    content = b"".join(sue.get(LIST, {"export": "csv"}).streaming_content)
    assert b"secret" not in content
    assert sue.cookies["sessionid"].value.encode() not in content
    assert bytes(row_of(sue).key_hash).hex().encode() not in content


def test_the_export_as_a_workbook_has_the_same_rows(sue, visitor, make_row):
    wanted = [make_row(visitor) for _ in range(3)]
    answer = sue.get(LIST, {"export": "xlsx", "user": visitor.pk})
    sheet = load_workbook(io.BytesIO(answer.getvalue())).active
    heading, *rows = sheet.iter_rows(values_only=True)
    assert heading[:3] == ("Session", "User", "Status")
    assert {row[0] for row in rows} == ids(*wanted)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\t=1", "\n=1"])
def test_no_cell_of_the_export_is_a_formula(sue, visitor, make_row, name):
    make_row(visitor, name=name)
    (row,) = exported(sue, user=visitor.pk)
    assert row["Name"] == f"'{name}"


# Special rows


def test_a_row_without_a_user_is_listed_as_a_visitor(sue, make_row):
    row = make_row()
    assert found(sue, status="visitor") == ids(row)
    assert "Signed-out visitor" in text_of(sue.get(LIST, {"status": "visitor"}))


def test_a_viewer_is_offered_no_action(viewer, vera):
    page = signed_in(viewer).get(LIST).content.decode()
    assert "/inspect/" in page
    assert "/sign-out/" not in page
    assert "/admin/bulk/" not in page
    assert "bulk-actions.js" not in page
    assert 'type="checkbox" data-bulk-action' not in page
    assert Session.objects.count() == 2


def test_a_superuser_that_the_sites_manager_leaves_out_is_hidden_too(
    mary, sue, superuser, monkeypatch
):
    class ActiveManager(UserManager):
        def get_queryset(self):
            return super().get_queryset().filter(is_active=True)

    manager = ActiveManager()
    manager.model = type(superuser)
    monkeypatch.setitem(vars(type(superuser)._meta), "default_manager", manager)
    type(superuser)._base_manager.filter(pk=superuser.pk).update(is_active=False)
    assert str(sue.session.id) not in found(mary, status="")
    assert mary.get(url("inspect", sue.session.id)).status_code == 404


def test_a_workbook_leaves_out_characters_that_it_cant_hold(sue, visitor, make_row):
    make_row(visitor, os="A\x07B")
    answer = sue.get(LIST, {"export": "xlsx", "user": visitor.pk})
    sheet = load_workbook(io.BytesIO(answer.getvalue())).active
    assert "AB" in [cell.value for cell in sheet[2]]


def test_a_long_search_is_no_error(sue):
    assert sue.get(LIST, {"q": "x " * 1200}).status_code == 200


def test_a_row_without_a_sign_in_time_is_listed(sue, visitor, make_row):
    one = make_row(visitor, signed_in_at=None)
    assert one.signed_in_at == one.created_at
    (many,) = Session.objects.bulk_create(
        [
            Session(
                user=visitor,
                key_hash=b"m" * 32,
                expire_date=one.expire_date,
                session_data="",
            )
        ]
    )
    assert found(sue, user=visitor.pk) == ids(one, many)
