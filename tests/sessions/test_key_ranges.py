"""Key ranges whose ends are counted, or guessed by the density of rows."""

import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from wagtail_user_sessions.models import Reason, Session
from wagtail_user_sessions.sessions import batch_size, batches, key_ranges
from wagtail_user_sessions.sessions.batches import delete_in_batches
from wagtail_user_sessions.sessions.key_ranges import Density, KeyRanges

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_value_after_continues_at_the_same_density():
    hour = timedelta(hours=1)
    density = Density(first=NOON, last=NOON + hour, rows=100)
    assert density.value_after(250) == NOON + 3.5 * hour


def test_value_after_goes_no_further_than_the_greatest_uuid():
    density = Density(first=uuid.UUID(int=0), last=uuid.UUID(int=2**126), rows=100)
    assert density.value_after(200) == uuid.UUID(int=3 * 2**126)
    assert density.value_after(400) == uuid.UUID(int=2**128 - 1)


@pytest.mark.parametrize(
    ("first", "last"), [(NOON, datetime.max.replace(tzinfo=UTC)), ("a", "b")]
)
def test_value_after_is_none_if_it_cant_be_calculated(first, last):
    assert Density(first=first, last=last, rows=1).value_after(10) is None


@pytest.fixture
def guessing(batches_of, monkeypatch):
    """Counts ranges of four rows, and guesses the ends of ranges of eight."""
    monkeypatch.setattr(key_ranges, "MAX_COUNTED", 4)
    monkeypatch.setattr(key_ranges, "FIRST_BATCH", 4)
    monkeypatch.setattr(batches, "supports_timeout", lambda using: True)
    batches_of(8)


def make_rows(*times):
    Session.objects.bulk_create(
        Session(key_hash=uuid.uuid4().bytes * 2, expire_date=time) for time in times
    )


def sizes_of_batches(by_field="expire_date", rows=None):
    rows = Session.rows() if rows is None else rows
    return list(delete_in_batches(rows, reason=Reason.EXPIRED, by_field=by_field))


def minutes(*numbers):
    return [NOON + timedelta(minutes=number) for number in numbers]


@pytest.mark.django_db
def test_ranges_are_counted_until_their_density_is_known(guessing):
    make_rows(*minutes(*range(30)))
    assert sizes_of_batches() == [4, 4, 8, 8, 6]
    assert not Session.objects.exists()


@pytest.mark.django_db
def test_a_guessed_range_needs_no_query(guessing, statements):
    make_rows(*minutes(*range(30)))
    with statements() as made:
        sizes_of_batches()
    # For a counted range, two queries read its last value, and whether more rows have
    # it. The last guessed range is empty, which doesn't prove that no rows are left.
    assert made.verbs == [
        *["SELECT", "SELECT", "DELETE"] * 2,
        *["DELETE"] * 4,
        *["SELECT", "DELETE"],
    ]


@pytest.mark.django_db
def test_ranges_cover_rows_behind_a_gap(guessing):
    make_rows(*minutes(*range(12), *range(1000, 1012)))
    assert sum(sizes_of_batches()) == 24


@pytest.mark.django_db
def test_ranges_have_no_rows_outside_the_query_set(guessing):
    make_rows(*minutes(*range(30)))
    rows = Session.rows().filter(expire_date__lt=NOON + timedelta(minutes=20))
    assert sum(sizes_of_batches(rows=rows)) == 20
    assert Session.objects.count() == 10


@pytest.mark.django_db
@pytest.mark.skipif(
    connection.vendor == "mysql", reason="MariaDB sorts UUIDs by other bytes first"
)
def test_ranges_of_primary_keys_cover_all_rows(guessing):
    make_rows(*minutes(*range(100)))
    assert sum(sizes_of_batches("pk")) == 100


@pytest.mark.django_db
def test_ranges_cover_rows_of_one_time_of_which_others_delete_some():
    make_rows(*[timezone.now()] * 20)
    ranges = KeyRanges(Session.rows(), "expire_date", may_guess=False)
    batch = ranges.next(4)
    assert batch.is_part
    Session.rows().filter(pk__in=list(batch.rows.values_list("pk", flat=True))).delete()
    ranges.advance(batch, deleted=batch.rows._raw_delete("default"))
    while not ranges.is_done:
        batch = ranges.next(4)
        ranges.advance(batch, deleted=batch.rows._raw_delete("default"))
    assert not Session.rows().exists()


@pytest.mark.django_db
def test_a_range_is_counted_after_a_timeout(guessing):
    make_rows(*minutes(*range(30)))
    ranges = KeyRanges(Session.rows(), "expire_date", may_guess=True)
    for _ in range(2):
        batch = ranges.next(8)
        ranges.advance(batch, deleted=batch.rows._raw_delete("default"))
    assert ranges.next(8).size == 8
    ranges.timed_out()
    assert ranges.next(8).size == 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="Only PostgreSQL gives statements up"
)
def test_a_batch_that_takes_too_long_is_tried_again_with_fewer_rows(
    guessing, monkeypatch
):
    monkeypatch.setattr(batch_size, "SMALLEST_BATCH", 1)
    monkeypatch.setattr(batch_size, "TIMEOUT", 0.15)
    make_rows(*[timezone.now()] * 6, *minutes(*range(20)))
    with each_deletion_taking(0.03):
        sizes = sizes_of_batches()
    assert sum(sizes) == 26
    assert max(sizes) <= 5


@contextmanager
def each_deletion_taking(seconds):
    """Make the database wait at each row that it deletes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN PERFORM pg_sleep({seconds}); RETURN OLD; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER wait BEFORE DELETE ON wagtail_user_sessions_session "
            "FOR EACH ROW EXECUTE FUNCTION wait()"
        )
        try:
            yield
        finally:
            cursor.execute("DROP FUNCTION wait CASCADE")
