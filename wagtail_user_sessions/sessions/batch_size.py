"""The adaptive size of batches of deletions, so that other writers never wait long."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import transaction

from wagtail_user_sessions.sql.statement_timeout import (
    StatementTimeout,
    supports_timeout,
)

# Rows of a batch.
FIRST_BATCH = 1000
SMALLEST_BATCH = 100
LARGEST_BATCH = 1_000_000
# Of a batch that is loaded before it is deleted: all of it is in memory.
LARGEST_LOADED_BATCH = 1000
# The largest factor from the size of a batch to that of the next.
GROWTH = 4

# How long a batch is to take, in seconds. On a database without row locks, where all
# other writers wait for it:
SECONDS_WITHOUT_ROW_LOCKS = 0.1
# A pause follows, of this part of the time that the batch took. Waiting writers try
# again at intervals, and would hardly ever hit the moment between two batches.
PAUSE = 0.5
# With row locks, where only writers of the same rows wait. It stays under a second
# even if rows suddenly take three times as long:
SECONDS_WITH_ROW_LOCKS = 0.3
# With a statement timeout, and that timeout:
SECONDS_WITH_TIMEOUT = 0.6
TIMEOUT = 0.9
MAX_EXTRAPOLATION = TIMEOUT / SECONDS_WITH_TIMEOUT

Count = TypeVar("Count", bound=int)


class AdaptiveBatchSize:
    """The number of rows that are deleted in about ``seconds``.

    ``are_loaded``: the rows of a batch are read into memory first.
    ``has_timeout``: a batch that takes too long ends in ``StatementTimeout``.
    """

    def __init__(
        self,
        *,
        seconds: float,
        are_loaded: bool = False,
        has_timeout: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.size = FIRST_BATCH
        self.took = 0.0
        self.has_timeout = has_timeout
        # Rows and seconds of the batch before.
        self._last = (0, 0.0)
        self.seconds = seconds
        self.largest = LARGEST_BATCH
        if are_loaded:
            self.largest = min(LARGEST_BATCH, LARGEST_LOADED_BATCH)
        self.clock = clock

    def time(self, delete: Callable[[], Count]) -> Count:
        """Delete a batch, and adapt the size by how long it took (``took``, seconds).

        Returns the number of deleted rows. After a ``StatementTimeout`` the size is
        smaller.
        """
        start = self.clock()
        try:
            deleted = delete()
        except StatementTimeout:
            self._set_size(self.size / GROWTH)
            raise
        self.took = max(self.clock() - start, 0.001)
        # From a batch with few rows the time of a full one can't be predicted.
        max_factor = GROWTH if deleted * 2 > self.size else 1
        self._set_size(self.size * min(max_factor, self._factor(deleted)))
        self._last = deleted, self.took
        return deleted

    def _factor(self, deleted: int) -> float:
        """Return how many times as many rows there is time for.

        Part of the time is the same for any number of rows, such as a scan of all
        pages of the table. With a statement timeout, that part is estimated from the
        last two batches and not multiplied. The result is capped: without any such
        part, the next batch would take just as long as the timeout.
        """
        factor = self.seconds / self.took
        more_rows, more_seconds = deleted - self._last[0], self.took - self._last[1]
        # It can't be estimated from two batches of nearly the same size.
        if not self.has_timeout or more_rows * 4 <= deleted or factor < 1:
            return factor
        if more_seconds <= 0:
            return factor * MAX_EXTRAPOLATION
        rows_left = (self.seconds - self.took) * more_rows / more_seconds
        return max(factor, min(1 + rows_left / deleted, factor * MAX_EXTRAPOLATION))

    def _set_size(self, size: float) -> None:
        self.size = max(SMALLEST_BATCH, min(self.largest, int(size)))

    @property
    def timeout(self) -> float | None:
        """The statement timeout of the next batch, in seconds.

        ``None`` for the smallest batch, which would take no less the next time.
        """
        return TIMEOUT if self.size > SMALLEST_BATCH else None


def seconds_on(using: str) -> float:
    """Return how long a batch is to take on this database, in seconds."""
    if supports_timeout(using):
        return SECONDS_WITH_TIMEOUT
    return (
        SECONDS_WITH_ROW_LOCKS if _has_row_locks(using) else SECONDS_WITHOUT_ROW_LOCKS
    )


def yield_to_writers(using: str, *, took: float) -> None:
    """Pause after a batch that has locked out all other writers for ``took`` seconds.

    Inside a transaction there is no pause: it goes on locking them out.
    """
    if (
        not _has_row_locks(using)
        and not transaction.get_connection(using).in_atomic_block
    ):
        time.sleep(took * PAUSE)


def _has_row_locks(using: str) -> bool:
    features = transaction.get_connection(using).features
    return bool(features.has_select_for_update)
