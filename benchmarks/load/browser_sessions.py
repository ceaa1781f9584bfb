"""A session as its browser knows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Changes:
    """The data that the session must have, by the answers of the pages that changed it.

    A change that was answered with 200 must be there. If no answer came, because the
    worker was killed, the change may be there or not.
    """

    least: int = 0
    most: int = 0
    # Whether each key is there; None if unknown.
    keys: dict[str, bool | None] = field(default_factory=dict)

    def counted(self, value: int) -> bool:
        """Take over a page's count; return False if a change to it was lost."""
        is_right = self.least < value <= self.most + 1
        self.least = self.most = value
        return is_right

    def may_have_counted(self) -> None:
        self.most += 1

    def differences(self, data: dict[str, Any]) -> list[str]:
        """Return the keys that differ in the data of the session."""
        wrong = [
            name
            for name, is_there in self.keys.items()
            if is_there is not None and is_there != (f"own.{name}" in data)
        ]
        if not self.least <= data.get("count", 0) <= self.most:
            wrong.append("count")
        return wrong

    def corrected(self, data: dict[str, Any]) -> None:
        """Take over the data, so that a lost change isn't counted twice."""
        self.keys = {name: f"own.{name}" in data for name in self.keys}
        self.least = self.most = data.get("count", 0)


@dataclass
class BrowserSession:
    username: str
    pk: str
    cookie: str
    # Seconds of the monotonic clock: the request and the answer of the sign-in.
    requested: float
    signed_in: float
    changes: Changes = field(default_factory=Changes)
    has_ended: bool = False
    # A visitor's: the attempts that were admitted, and when the last one was answered.
    is_visitor: bool = False
    attempts: int = 0
    changed: float = 0
