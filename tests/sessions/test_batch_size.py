"""How many rows a batch of deletions takes."""

import pytest
from django.db import connection, transaction

from wagtail_user_sessions.sessions import batch_size as paces
from wagtail_user_sessions.sessions.batch_size import (
    FIRST_BATCH,
    AdaptiveBatchSize,
    seconds_on,
    yield_to_writers,
)
from wagtail_user_sessions.sql.statement_timeout import StatementTimeout


def pace_of(*moments, **options):
    """A pace of 0.4 seconds by a clock that shows these moments."""
    clock = iter(moments)
    return AdaptiveBatchSize(seconds=0.4, clock=lambda: next(clock), **options)


def test_batches_grow_while_they_are_fast_and_shrink_while_they_are_slow():
    pace = pace_of(0, 0.01, 1, 3, 10, 10.125)
    sizes = []
    for _ in range(3):
        pace.time(lambda: pace.size)
        sizes.append(pace.size)
    assert sizes == [4000, 800, 2560]


def test_a_batch_that_took_little_is_no_reason_for_larger_ones():
    pace = pace_of(0, 0.01, 1, 1.01)
    for deleted in (0, 10):
        pace.time(lambda deleted=deleted: deleted)
        assert pace.size == FIRST_BATCH


def sizes_after(*times, **options):
    """Of the batches that follow those that took so long, in seconds."""
    moments = [moment for time in times for moment in (0, time)]
    pace = pace_of(*moments, **options)
    sizes = []
    for _ in times:
        pace.time(lambda: pace.size)
        sizes.append(pace.size)
    return sizes


def test_what_any_batch_takes_is_not_counted_again_where_one_can_be_given_up():
    # A tenth of a second each, and as much for 4,000 rows.
    assert sizes_after(0.125, 0.18) == [3200, 7111]
    assert sizes_after(0.125, 0.18, is_limited=True) == [3200, 10666]
    assert sizes_after(0.1, 0.25, is_limited=True) == [4000, 7000]


def test_where_larger_batches_take_less_they_still_grow_with_care():
    assert sizes_after(0.2, 0.16, is_limited=True) == [2000, 7500]


def test_where_nothing_is_deleted_batches_stay_as_they_are():
    pace = pace_of(0, 0.01, 1, 1.01, is_limited=True)
    for _ in range(2):
        pace.time(lambda: 0)
    assert pace.size == FIRST_BATCH


def give_up():
    raise StatementTimeout


def test_a_batch_that_was_given_up_is_followed_by_a_smaller_one():
    pace = pace_of(0, 1)
    with pytest.raises(StatementTimeout):
        pace.time(give_up)
    assert pace.size == 250


def test_the_smallest_batch_is_never_given_up():
    pace = pace_of(*range(10))
    limits = []
    for _ in range(3):
        limits.append(pace.limit)
        with pytest.raises(StatementTimeout):
            pace.time(give_up)
    assert limits == [0.9, 0.9, None]


def test_rows_that_are_loaded_stay_few_however_fast_they_are_deleted():
    pace = pace_of(0, 0.01, 1, 1.01, are_loaded=True)
    for _ in range(2):
        pace.time(lambda: pace.size)
    assert pace.size == paces.LARGEST_LOADED_BATCH


@pytest.mark.django_db(transaction=True)
def test_a_batch_is_the_shorter_the_more_wait_for_it():
    seconds = {"sqlite": 0.1, "mysql": 0.3, "postgresql": 0.6}
    assert seconds_on("default") == seconds[connection.vendor]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite has no row locks")
def test_after_a_batch_those_are_let_in_who_could_not_write(monkeypatch):
    pauses = []
    monkeypatch.setattr(paces.time, "sleep", pauses.append)
    yield_to_writers("default", took=0.1)
    with transaction.atomic():
        yield_to_writers("default", took=0.1)
    assert pauses == [0.05]
