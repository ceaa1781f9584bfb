"""Key ranges: rows by an indexed column, one range of its values at a time."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .base import SessionQuerySet
from .batch_size import FIRST_BATCH, GROWTH

# The most rows of a range whose end is counted, where the end of more can be guessed.
MAX_COUNTED = 10_000
GREATEST_UUID = 2**128 - 1


@dataclass(frozen=True, kw_only=True)
class Range:
    rows: SessionQuerySet
    # The last value of the range; None if it has all rows that are left.
    last: Any = None
    # The number of rows to expect.
    size: int
    # Whether these are only some of the rows with the last value.
    is_part: bool = False


@dataclass(frozen=True, kw_only=True)
class Density:
    """The number of rows between two values."""

    first: Any
    last: Any
    rows: int

    def value_after(self, size: int) -> Any:
        """Return the value up to which ``size`` more rows are expected at this density.

        None if there is no such value, or it can't be calculated.
        """
        factor = size / self.rows
        try:
            if isinstance(self.last, datetime):
                return self.last + (self.last - self.first) * factor
            if isinstance(self.last, uuid.UUID):
                span = int((self.last.int - self.first.int) * factor)
                return uuid.UUID(int=min(self.last.int + span, GREATEST_UUID))
        except OverflowError:
            # The date would be later than the last one of Python.
            pass
        return None


class KeyRanges:
    """Goes through ``rows`` once, from the least value of ``by_field`` on.

    With ``may_guess``, the end of a large range is guessed by the density of the one
    before. Counting the rows would cost PostgreSQL as much as their deletion: the
    index doesn't know which of them are visible, so each is looked up in the table,
    in the order of the index.
    """

    def __init__(
        self, rows: SessionQuerySet, by_field: str, *, may_guess: bool
    ) -> None:
        self.rows = self.rest = rows.order_by(by_field)
        self.by_field = by_field
        self.may_guess = may_guess
        self.is_done = False
        self._last: Any = None
        self._density: Density | None = None

    def next(self, size: int) -> Range:
        """Return the next range, of about ``size`` rows."""
        if self._density is not None and size > MAX_COUNTED:
            size = min(size, self._density.rows * GROWTH)
            end = self._density.value_after(size)
            if end is not None and end > self._last:
                return Range(rows=self._up_to(end), last=end, size=size)
        return self._counted_range(min(size, MAX_COUNTED) if self.may_guess else size)

    def advance(self, batch: Range, *, deleted: int) -> None:
        """Go on behind the range, after its deletion."""
        if batch.last is None:
            self.is_done = True
        # A part whose rows are gone, by this deletion or another, is followed by the other
        # rows with its value: the next range begins with the same value.
        elif not (batch.is_part and (deleted or not batch.rows.exists())):
            self._density = self._density_of(batch, deleted)
            self._last = batch.last
            self.rest = self.rows.filter(**{f"{self.by_field}__gt": batch.last})

    def timed_out(self) -> None:
        """Count the next range: the last one may have more rows than were expected."""
        self._density = None

    def _density_of(self, batch: Range, deleted: int) -> Density | None:
        # A range with few rows may lie in a gap, or at the end of all rows.
        is_sparse = deleted * 2 < batch.size
        if not self.may_guess or self._last is None or batch.is_part or is_sparse:
            return None
        return Density(first=self._last, last=batch.last, rows=deleted)

    def _counted_range(self, size: int) -> Range:
        values = self.rest.values_list(self.by_field, flat=True)
        last = next(iter(values[size - 1 : size]), None)
        if last is None:
            return Range(rows=self.rest.order_by(), size=size)
        if self._has_more_rows_with(last, size):
            size = min(size, FIRST_BATCH)
            keys = list(self.rest.values_list("pk", flat=True)[:size])
            rows = self.rest.order_by().filter(pk__in=keys)
            return Range(rows=rows, last=last, size=size, is_part=True)
        return Range(rows=self._up_to(last), last=last, size=size)

    def _has_more_rows_with(self, value: Any, size: int) -> bool:
        if self.by_field == "pk":
            return False
        return self.rest.filter(**{self.by_field: value})[size : size + 1].exists()

    def _up_to(self, end: Any) -> SessionQuerySet:
        return self.rest.order_by().filter(**{f"{self.by_field}__lte": end})
