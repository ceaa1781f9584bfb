"""The adaptive size of batches of deletions."""

import pytest
from django.db import connection, transaction

from wagtail_user_sessions.sessions import batch_size as batch_sizes
from wagtail_user_sessions.sessions.batch_size import (
    FIRST_BATCH,
    AdaptiveBatchSize,
    seconds_on,
    yield_to_writers,
)
from wagtail_user_sessions.sql.statement_timeout import StatementTimeout


def make_batch_size(*readings, **options):
    """A batch size for 0.4 seconds, by a clock that shows these readings."""
    clock = iter(readings)
    return AdaptiveBatchSize(seconds=0.4, clock=lambda: next(clock), **options)


def test_batches_grow_while_they_are_fast_and_shrink_while_they_are_slow():
    batch_size = make_batch_size(0, 0.01, 1, 3, 10, 10.125)
    sizes = []
    for _ in range(3):
        batch_size.time(lambda: batch_size.size)
        sizes.append(batch_size.size)
    assert sizes == [4000, 800, 2560]


def test_batches_with_few_rows_are_not_followed_by_larger_ones():
    batch_size = make_batch_size(0, 0.01, 1, 1.01)
    for deleted in (0, 10):
        batch_size.time(lambda deleted=deleted: deleted)
        assert batch_size.size == FIRST_BATCH


def sizes_after(*times, **options):
    """The size after each of the batches, which took these times in seconds."""
    readings = [reading for time in times for reading in (0, time)]
    batch_size = make_batch_size(*readings, **options)
    sizes = []
    for _ in times:
        batch_size.time(lambda: batch_size.size)
        sizes.append(batch_size.size)
    return sizes


def test_fixed_time_is_not_multiplied_with_a_statement_timeout():
    # Each batch takes a fixed 0.1 s, and 0.1 s for 4,000 rows.
    assert sizes_after(0.125, 0.18) == [3200, 7111]
    assert sizes_after(0.125, 0.18, has_timeout=True) == [3200, 10666]
    assert sizes_after(0.1, 0.25, has_timeout=True) == [4000, 7000]


def test_growth_is_capped_if_a_larger_batch_took_less_time():
    assert sizes_after(0.2, 0.16, has_timeout=True) == [2000, 7500]


def test_batches_that_delete_nothing_keep_their_size():
    batch_size = make_batch_size(0, 0.01, 1, 1.01, has_timeout=True)
    for _ in range(2):
        batch_size.time(lambda: 0)
    assert batch_size.size == FIRST_BATCH


def time_out():
    raise StatementTimeout


def test_a_timed_out_batch_is_followed_by_a_smaller_one():
    batch_size = make_batch_size(0, 1)
    with pytest.raises(StatementTimeout):
        batch_size.time(time_out)
    assert batch_size.size == 250


def test_the_smallest_batch_has_no_timeout():
    batch_size = make_batch_size(*range(10))
    timeouts = []
    for _ in range(3):
        timeouts.append(batch_size.timeout)
        with pytest.raises(StatementTimeout):
            batch_size.time(time_out)
    assert timeouts == [0.9, 0.9, None]


def test_batches_of_loaded_rows_stay_small_however_fast_they_are():
    batch_size = make_batch_size(0, 0.01, 1, 1.01, are_loaded=True)
    for _ in range(2):
        batch_size.time(lambda: batch_size.size)
    assert batch_size.size == batch_sizes.LARGEST_LOADED_BATCH


@pytest.mark.django_db(transaction=True)
def test_seconds_on_depends_on_how_many_writers_a_batch_locks_out():
    seconds = {"sqlite": 0.1, "mysql": 0.3, "postgresql": 0.6}
    assert seconds_on("default") == seconds[connection.vendor]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite has no row locks")
def test_yield_to_writers_pauses_only_outside_transactions(monkeypatch):
    pauses = []
    monkeypatch.setattr(batch_sizes.time, "sleep", pauses.append)
    yield_to_writers("default", took=0.1)
    with transaction.atomic():
        yield_to_writers("default", took=0.1)
    assert pauses == [0.05]
