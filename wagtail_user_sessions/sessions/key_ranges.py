"""Rows in the order of an indexed column, a range of its values at a time."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .base import SessionQuerySet
from .batch_size import FIRST_BATCH, GROWTH

# So many rows are counted off where more can be guessed.
COUNTED = 10_000
GREATEST_UUID = 2**128 - 1


@dataclass(frozen=True, kw_only=True)
class Range:
    rows: SessionQuerySet
    # The value that it ends with; None where these are all that are left.
    last: Any = None
    # How many rows are expected.
    size: int
    # Whether they are only some of those with this value.
    is_part: bool = False


@dataclass(frozen=True, kw_only=True)
class Density:
    """How densely rows stood between two values."""

    first: Any
    last: Any
    rows: int

    def further(self, size: int) -> Any:
        """The value up to which there are so many more, if they go on like this.

        None where there is no such value, or none that can be calculated.
        """
        factor = size / self.rows
        try:
            if isinstance(self.last, datetime):
                return self.last + (self.last - self.first) * factor
            if isinstance(self.last, uuid.UUID):
                span = int((self.last.int - self.first.int) * factor)
                return uuid.UUID(int=min(self.last.int + span, GREATEST_UUID))
        except OverflowError:
            # Past the last date that there can be.
            pass
        return None


class KeyRanges:
    """Goes through ``rows`` once, from the least value of ``by_field`` on.

    Where it ``may_guess``, a large range ends where it should have its size by
    how densely rows stood before. Counting off the rows would cost PostgreSQL as
    much as their deletion: the index doesn't know which of them are visible, so
    each is looked at in the table, in the index's order.
    """

    def __init__(
        self, rows: SessionQuerySet, by_field: str, *, may_guess: bool
    ) -> None:
        self.rows = self.rest = rows.order_by(by_field)
        self.by_field = by_field
        self.may_guess = may_guess
        self.is_done = False
        self._last: Any = None
        self._stretch: Density | None = None

    def next(self, size: int) -> Range:
        """The next rows, about so many."""
        if self._stretch is not None and size > COUNTED:
            size = min(size, self._stretch.rows * GROWTH)
            end = self._stretch.further(size)
            if end is not None and end > self._last:
                return Range(rows=self._up_to(end), last=end, size=size)
        return self._counted(min(size, COUNTED) if self.may_guess else size)

    def advance(self, batch: Range, *, deleted: int) -> None:
        """Go on behind it, once it was deleted."""
        if batch.last is None:
            self.is_done = True
        # Of a part nothing is left, be it that others have deleted it.
        elif not (batch.is_part and (deleted or not batch.rows.exists())):
            self._stretch = self._known(batch, deleted)
            self._last = batch.last
            self.rest = self.rows.filter(**{f"{self.by_field}__gt": batch.last})

    def timed_out(self) -> None:
        """It could not be deleted: there may be more rows than were expected."""
        self._stretch = None

    def _known(self, batch: Range, deleted: int) -> Density | None:
        # Where there were few, a gap may end, or all rows.
        is_sparse = deleted * 2 < batch.size
        if not self.may_guess or self._last is None or batch.is_part or is_sparse:
            return None
        return Density(first=self._last, last=batch.last, rows=deleted)

    def _counted(self, size: int) -> Range:
        values = self.rest.values_list(self.by_field, flat=True)
        last = next(iter(values[size - 1 : size]), None)
        if last is None:
            return Range(rows=self.rest.order_by(), size=size)
        if self._are_more_with(last, size):
            size = min(size, FIRST_BATCH)
            keys = list(self.rest.values_list("pk", flat=True)[:size])
            rows = self.rest.order_by().filter(pk__in=keys)
            return Range(rows=rows, last=last, size=size, is_part=True)
        return Range(rows=self._up_to(last), last=last, size=size)

    def _are_more_with(self, value: Any, size: int) -> bool:
        if self.by_field == "pk":
            return False
        return self.rest.filter(**{self.by_field: value})[size : size + 1].exists()

    def _up_to(self, end: Any) -> SessionQuerySet:
        return self.rest.order_by().filter(**{f"{self.by_field}__lte": end})
