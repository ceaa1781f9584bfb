"""IP addresses are sorted by their numbers, on each database."""

import pytest
from django.db import connection
from django.utils import timezone

from wagtail_user_sessions.models import Session
from wagtail_user_sessions.sql.address_order import by_address

IN_ORDER = [
    "0.0.0.0",
    "9.9.9.9",
    "10.0.0.9",
    "10.0.0.10",
    "10.0.0.100",
    "100.0.0.1",
    "192.0.2.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:0.0.0.0",
    "64:ff9b::1",
    "2001:db8::9",
    "2001:db8::a",
    "2001:db8::10",
    "2001:db8:0:1::",
    "2001:db8:a::",
    "2001:db8:10::",
    "fe80::1",
    None,
]

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(db):
    Session.objects.bulk_create(
        Session(ip=ip, key_hash=number.to_bytes(32), expire_date=timezone.now())
        for number, ip in enumerate(sorted(IN_ORDER, key=str))
    )
    return Session.objects.all()


@pytest.mark.parametrize("descending", [False, True])
def test_addresses_are_sorted_by_their_numbers_those_of_ipv4_first(rows, descending):
    found = rows.order_by(by_address("ip", descending=descending))
    expected = IN_ORDER[::-1] if descending else IN_ORDER
    assert list(found.values_list("ip", flat=True)) == expected


def test_the_order_can_be_reversed_and_sliced(rows):
    found = rows.order_by(by_address("ip"), "pk").values_list("ip", flat=True)
    assert list(found.reverse()[:3]) == [None, "fe80::1", "2001:db8:10::"]
    assert list(found[2:4]) == ["10.0.0.9", "10.0.0.10"]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's function")
def test_text_that_is_no_address_is_sorted_as_none(rows):
    rows.filter(ip="9.9.9.9").update(ip="999.9.9.9")
    found = rows.order_by(by_address("ip")).values_list("ip", flat=True)
    assert set(list(found)[-2:]) == {None, "999.9.9.9"}


def test_the_order_needs_nothing_to_be_prepared_while_other_rows_are_read(rows):
    reading = rows.iterator(chunk_size=1)
    next(reading)
    for _ in range(2):
        assert rows.order_by(by_address("ip")).first().ip == "0.0.0.0"
    assert len(list(reading)) == len(IN_ORDER) - 1


@pytest.mark.django_db(transaction=True)
def test_the_order_works_on_a_new_connection(rows):
    assert rows.order_by(by_address("ip")).first().ip == "0.0.0.0"
    connection.close()
    assert rows.order_by(by_address("ip")).first().ip == "0.0.0.0"
