"""Parameters of the device list in its URL: its length, and the part that is open."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

# The number of devices that a list shows at first, which is more than most users
# have; the number that "Show more" adds; and the largest number: a longer page
# helps nobody.
SHOWN_AT_FIRST = 10
MORE = 30
MAX_SHOWN = 1000

OTHERS = "others"
NOT_YOU = "not_you"


@dataclass(frozen=True, kw_only=True)
class ListParams:
    shown: int = SHOWN_AT_FIRST
    # Whether "Show more" was pressed for this request.
    is_extended: bool = False
    # The open confirmation: the id of a device, OTHERS or NOT_YOU.
    confirm: str = ""
    # The id of the device whose form for a name is open.
    rename: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> ListParams:
        """Return the params of a query; invalid values are ignored."""
        confirm = query.get("confirm", "")
        return cls(
            shown=max(_number(query.get("shown", "")), _number(query.get("more", ""))),
            is_extended="more" in query,
            confirm=confirm if confirm in {OTHERS, NOT_YOU} else _id(confirm),
            rename=_id(query.get("rename", "")),
        )

    @property
    def device_id(self) -> uuid.UUID | None:
        """The device of the open confirmation or form."""
        for text in (self.confirm, self.rename):
            if (pk := _parse(text)) is not None:
                return pk
        return None

    @property
    def closed(self) -> ListParams:
        """The same length, with nothing open."""
        return ListParams(shown=self.shown)

    @property
    def query(self) -> str:
        """The query of these params, with its "?"; empty for the defaults."""
        shown = "" if self.shown == SHOWN_AT_FIRST else self.shown
        parameters = {"shown": shown, "confirm": self.confirm, "rename": self.rename}
        query = urlencode({name: value for name, value in parameters.items() if value})
        return f"?{query}" if query else ""

    @property
    def shown_with_more(self) -> int:
        return min(self.shown + MORE, MAX_SHOWN)

    def renaming(self, pk: object) -> ListParams:
        return replace(self.closed, rename=str(pk))


def next_length(number: int) -> int:
    """Return the number, or the next larger one to which "Show more" leads.

    A query is compiled, and by PostgreSQL prepared, for each length: a client may ask
    for any.
    """
    steps = math.ceil(max(0, number - SHOWN_AT_FIRST) / MORE)
    return SHOWN_AT_FIRST + steps * MORE


def _parse(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _id(text: str) -> str:
    """Return the id in its canonical form, or "" if the text is no UUID."""
    return str(_parse(text) or "")


def _number(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) < 5
    number = int(text) if is_number else SHOWN_AT_FIRST
    return min(max(number, SHOWN_AT_FIRST), MAX_SHOWN)
