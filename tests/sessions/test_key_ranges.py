"""Rows deleted a range of values at a time, where the ends of ranges are guessed."""

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


def test_a_stretch_goes_on_as_it_was():
    hour = timedelta(hours=1)
    stretch = Density(first=NOON, last=NOON + hour, rows=100)
    assert stretch.further(250) == NOON + 3.5 * hour


def test_a_stretch_of_primary_keys_goes_on_to_the_last_of_them():
    stretch = Density(first=uuid.UUID(int=0), last=uuid.UUID(int=2**126), rows=100)
    assert stretch.further(200) == uuid.UUID(int=3 * 2**126)
    assert stretch.further(400) == uuid.UUID(int=2**128 - 1)


@pytest.mark.parametrize(
    ("first", "last"), [(NOON, datetime.max.replace(tzinfo=UTC)), ("a", "b")]
)
def test_where_a_stretch_ends_need_not_be_known(first, last):
    assert Density(first=first, last=last, rows=1).further(10) is None


@pytest.fixture
def guessing(batches_of, monkeypatch):
    """Counts off four rows, and guesses where eight end."""
    monkeypatch.setattr(key_ranges, "COUNTED", 4)
    monkeypatch.setattr(key_ranges, "FIRST_BATCH", 4)
    monkeypatch.setattr(batches, "supports_timeout", lambda using: True)
    batches_of(8)


def make_rows(*moments):
    Session.objects.bulk_create(
        Session(key_hash=uuid.uuid4().bytes * 2, expire_date=moment)
        for moment in moments
    )


def sizes_of_batches(by_field="expire_date", rows=None):
    rows = Session.rows() if rows is None else rows
    return list(delete_in_batches(rows, reason=Reason.EXPIRED, by_field=by_field))


def minutes(*numbers):
    return [NOON + timedelta(minutes=number) for number in numbers]


@pytest.mark.django_db
def test_rows_are_counted_off_until_it_is_known_how_densely_they_stand(guessing):
    make_rows(*minutes(*range(30)))
    assert sizes_of_batches() == [4, 4, 8, 8, 6]
    assert not Session.objects.exists()


@pytest.mark.django_db
def test_a_guess_needs_no_query(guessing, statements):
    make_rows(*minutes(*range(30)))
    with statements() as made:
        sizes_of_batches()
    # Two find where rows that are counted end, and whether more have that value. The
    # last guess finds nothing, which is no proof.
    assert made.verbs == [
        *["SELECT", "SELECT", "DELETE"] * 2,
        *["DELETE"] * 4,
        *["SELECT", "DELETE"],
    ]


@pytest.mark.django_db
def test_rows_behind_a_gap_are_found(guessing):
    make_rows(*minutes(*range(12), *range(1000, 1012)))
    assert sum(sizes_of_batches()) == 24


@pytest.mark.django_db
def test_no_more_than_the_rows_asked_for_are_deleted(guessing):
    make_rows(*minutes(*range(30)))
    rows = Session.rows().filter(expire_date__lt=NOON + timedelta(minutes=20))
    assert sum(sizes_of_batches(rows=rows)) == 20
    assert Session.objects.count() == 10


@pytest.mark.django_db
@pytest.mark.skipif(
    connection.vendor == "mysql", reason="MariaDB sorts UUIDs by other bytes first"
)
def test_all_primary_keys_are_gone_through(guessing):
    make_rows(*minutes(*range(100)))
    assert sum(sizes_of_batches("pk")) == 100


@pytest.mark.django_db
def test_rows_of_one_moment_of_which_others_delete_some_are_gone_through():
    make_rows(*[timezone.now()] * 20)
    walk = KeyRanges(Session.rows(), "expire_date", may_guess=False)
    batch = walk.next(4)
    assert batch.is_part
    Session.rows().filter(pk__in=list(batch.rows.values_list("pk", flat=True))).delete()
    walk.advance(batch, deleted=batch.rows._raw_delete("default"))
    while not walk.is_done:
        batch = walk.next(4)
        walk.advance(batch, deleted=batch.rows._raw_delete("default"))
    assert not Session.rows().exists()


@pytest.mark.django_db
def test_what_could_not_be_deleted_is_counted_off(guessing):
    make_rows(*minutes(*range(30)))
    walk = KeyRanges(Session.rows(), "expire_date", may_guess=True)
    for _ in range(2):
        batch = walk.next(8)
        walk.advance(batch, deleted=batch.rows._raw_delete("default"))
    assert walk.next(8).size == 8
    walk.timed_out()
    assert walk.next(8).size == 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="Only PostgreSQL gives statements up"
)
def test_a_batch_that_takes_too_long_is_tried_again_with_fewer_rows(
    guessing, monkeypatch
):
    monkeypatch.setattr(batch_size, "SMALLEST_BATCH", 1)
    monkeypatch.setattr(batch_size, "LIMIT", 0.15)
    make_rows(*[timezone.now()] * 6, *minutes(*range(20)))
    with each_deletion_taking(0.03):
        sizes = sizes_of_batches()
    assert sum(sizes) == 26
    assert max(sizes) <= 5


@contextmanager
def each_deletion_taking(seconds):
    """Makes the database wait at each row that it deletes."""
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
