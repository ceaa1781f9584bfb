"""The life of one session, as the browser knows it that has its cookie."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Changes:
    """What the session has to hold by the answers of the pages that changed it.

    A change that was answered with 200 has to be there. One whose answer never
    came, for its worker was killed, may be there or not.
    """

    least: int = 0
    most: int = 0
    # Whether a key is there; None where it isn't known.
    keys: dict[str, bool | None] = field(default_factory=dict)

    def counted(self, value: int) -> bool:
        """A page has counted up to the value; False where it has lost a count."""
        is_right = self.least < value <= self.most + 1
        self.least = self.most = value
        return is_right

    def may_have_counted(self) -> None:
        self.most += 1

    def differences(self, data: dict[str, Any]) -> list[str]:
        """What of it isn't so in the data of the session."""
        wrong = [
            name
            for name, is_there in self.keys.items()
            if is_there is not None and is_there != (f"own.{name}" in data)
        ]
        if not self.least <= data.get("count", 0) <= self.most:
            wrong.append("count")
        return wrong

    def corrected(self, data: dict[str, Any]) -> None:
        """Take the data as it is, so that nothing that was lost is counted twice."""
        self.keys = {name: f"own.{name}" in data for name in self.keys}
        self.least = self.most = data.get("count", 0)


@dataclass
class Life:
    username: str
    pk: str
    cookie: str
    # Seconds: when the sign-in was asked for, and when it was answered.
    asked: float
    born: float
    changes: Changes = field(default_factory=Changes)
    has_ended: bool = False
