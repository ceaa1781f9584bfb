"""How many rows are deleted at once, for nobody to wait long."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import transaction

from wagtail_user_sessions.sql.statement_timeout import (
    StatementTimeout,
    supports_timeout,
)

# Rows of a batch.
FIRST_BATCH = 1000
SMALLEST_BATCH = 100
LARGEST_BATCH = 1_000_000
# Where a batch is loaded before it is deleted, all of it is in memory.
LARGEST_LOADED_BATCH = 1000
# How many times as many rows as the batch before.
GROWTH = 4

# How long a batch is to take, in seconds. Where all other writers wait for it:
SECONDS_FOR_A_DATABASE = 0.1
# and then they are let in for a part of that time. They try now and again, and
# would hardly ever hit upon the moment between two batches.
PAUSE = 0.5
# Where only those wait who write to its rows; under a second even if rows cost
# three times as much all of a sudden:
SECONDS_FOR_ROWS = 0.3
# Where one that takes too long is given up, and after how long that is.
SECONDS_WITH_A_LIMIT = 0.6
LIMIT = 0.9
MAX_EXTRAPOLATION = LIMIT / SECONDS_WITH_A_LIMIT


class AdaptiveBatchSize:
    """How many rows a batch takes: as many as are deleted in about ``seconds``."""

    def __init__(
        self,
        *,
        seconds: float,
        are_loaded: bool = False,
        is_limited: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.size = FIRST_BATCH
        self.took = 0.0
        self.is_limited = is_limited
        # Rows and seconds.
        self._last = (0, 0.0)
        self.seconds = seconds
        self.largest = LARGEST_BATCH
        if are_loaded:
            self.largest = min(LARGEST_BATCH, LARGEST_LOADED_BATCH)
        self.clock = clock

    def time(self, delete: Callable[[], int]) -> int:
        start = self.clock()
        try:
            deleted = delete()
        except StatementTimeout:
            self._set_size(self.size / GROWTH)
            raise
        self.took = max(self.clock() - start, 0.001)
        # What took fewer rows doesn't tell how long more of them would take.
        most = GROWTH if deleted * 2 > self.size else 1
        self._set_size(self.size * min(most, self._factor(deleted)))
        self._last = deleted, self.took
        return deleted

    def _factor(self, deleted: int) -> float:
        """How many times as many rows there is time for.

        Part of the time is the same for any number of rows, such as what it takes
        to go through all pages of the table. Where a batch can be given up this is
        relied on, but not so far that it would be if there were no such part.
        """
        factor = self.seconds / self.took
        rows, took = deleted - self._last[0], self.took - self._last[1]
        if not self.is_limited or rows * 4 <= deleted or factor < 1:
            return factor
        if took <= 0:
            return factor * MAX_EXTRAPOLATION
        more = (self.seconds - self.took) * rows / took
        return max(factor, min(1 + more / deleted, factor * MAX_EXTRAPOLATION))

    def _set_size(self, size: float) -> None:
        self.size = max(SMALLEST_BATCH, min(self.largest, int(size)))

    @property
    def limit(self) -> float | None:
        """After how many seconds to give a batch up: never the smallest, which
        will not take less the next time.
        """
        return LIMIT if self.size > SMALLEST_BATCH else None


def seconds_on(using: str) -> float:
    """How long a batch is to take on this database."""
    if supports_timeout(using):
        return SECONDS_WITH_A_LIMIT
    return SECONDS_FOR_ROWS if _has_row_locks(using) else SECONDS_FOR_A_DATABASE


def yield_to_writers(using: str, *, took: float) -> None:
    """Wait after a batch that has kept all others from writing so long."""
    if (
        not _has_row_locks(using)
        and not transaction.get_connection(using).in_atomic_block
    ):
        time.sleep(took * PAUSE)


def _has_row_locks(using: str) -> bool:
    features = transaction.get_connection(using).features
    return bool(features.has_select_for_update)
