"""What of the list of devices is open, as the query of its address says."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

# How many devices a list has at first, more than most users have; how many "Show
# more" adds; and how many it has at most: a page of more helps nobody.
SHOWN_AT_FIRST = 10
MORE = 30
MAX_SHOWN = 1000

OTHERS = "others"
NOT_YOU = "not_you"


@dataclass(frozen=True, kw_only=True)
class ListParams:
    shown: int = SHOWN_AT_FIRST
    # Whether the last of them have just been asked for.
    is_extended: bool = False
    # The id of a device, OTHERS or NOT_YOU: what may be signed out next.
    confirm: str = ""
    # The id of the device that may get another name next.
    rename: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> ListParams:
        """The state of an address; what makes no sense in it is left out."""
        confirm = query.get("confirm", "")
        return cls(
            shown=max(_number(query.get("shown", "")), _number(query.get("more", ""))),
            is_extended="more" in query,
            confirm=confirm if confirm in {OTHERS, NOT_YOU} else _id(confirm),
            rename=_id(query.get("rename", "")),
        )

    @property
    def device_id(self) -> uuid.UUID | None:
        """The device that the confirmation or the form for a name is about."""
        for text in (self.confirm, self.rename):
            if (pk := _parse(text)) is not None:
                return pk
        return None

    @property
    def closed(self) -> ListParams:
        """The same list, with nothing open."""
        return ListParams(shown=self.shown)

    @property
    def query(self) -> str:
        """What an address needs behind it for this state; often nothing."""
        shown = "" if self.shown == SHOWN_AT_FIRST else self.shown
        parameters = {"shown": shown, "confirm": self.confirm, "rename": self.rename}
        query = urlencode({name: value for name, value in parameters.items() if value})
        return f"?{query}" if query else ""

    @property
    def shown_with_more(self) -> int:
        return min(self.shown + MORE, MAX_SHOWN)

    def renaming(self, pk: object) -> ListParams:
        return replace(self.closed, rename=str(pk))


def _parse(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _id(text: str) -> str:
    """An id as the list writes it, however the address does; else nothing."""
    return str(_parse(text) or "")


def _number(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) < 5
    number = int(text) if is_number else SHOWN_AT_FIRST
    return min(max(number, SHOWN_AT_FIRST), MAX_SHOWN)
