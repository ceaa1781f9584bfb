"""The calls that end sessions, and whether an answer came too late to be right."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .lives import Life
from .pages import Answer

# Endings that a copy in the cache could hide: the others are seen in the user's
# row, which is never copied.
OF_ROWS = {
    "revoke()",
    "delete()",
    "a page",
    "everywhere",
    "everybody",
    "signed out",
    "new key",
    "refused",
}
# Those of which nobody says whether the cache was told.
UNREPORTED = {"signed out", "new key", "refused"}

# Seconds that a call takes at most.
LONGEST = 30


@dataclass
class Ending:
    kind: str
    # Whose sessions; everybody's where none is given. Of that user's all, or one.
    username: str | None = None
    pk: str | None = None
    # Seconds: when the call was made, when it returned, and when it was taken back.
    began: float = field(default_factory=time.monotonic)
    returned: float | None = None
    lifted: float | None = None
    cache_failed: bool = False

    def concerns(self, life: Life) -> bool:
        return self.pk in {None, life.pk}

    def has_ended(self, life: Life, answer: Answer) -> bool:
        """Whether the call returned before the request of the answer started."""
        return (
            self.returned is not None
            and life.born <= self.began
            and self.returned < answer.started
            and (self.lifted is None or answer.received < self.lifted)
        )


class Outages:
    """When something could not be reached."""

    def __init__(self) -> None:
        self.spans: list[tuple[float, float]] = []

    @contextmanager
    def during(self) -> Iterator[None]:
        began = time.monotonic()
        self.spans.append((began, float("inf")))
        yield
        self.spans[-1] = (began, time.monotonic())

    def overlap(self, began: float, ended: float) -> bool:
        return any(low <= ended and began <= high for low, high in self.spans[-20:])


class Endings:
    def __init__(self, *, max_age: int) -> None:
        self.max_age = max_age
        # Of the cache, and of workers; and when the cache only didn't answer.
        self.outages, self.kills, self.silences = Outages(), Outages(), Outages()
        self._lists: dict[str | None, list[Ending]] = defaultdict(list)

    @contextmanager
    def calling(
        self, kind: str, *, username: str | None = None, pk: str | None = None
    ) -> Iterator[Ending]:
        """Notes when the call in the block was made and when it returned."""
        ending = Ending(kind, username=username, pk=pk)
        self._lists[username].append(ending)
        yield ending
        ending.returned = time.monotonic()

    def of(self, life: Life) -> Iterator[Ending]:
        """Those that may have ended it, the latest first."""
        for username in (life.username, None):
            for ending in reversed(self._lists[username]):
                if ending.began < life.asked - LONGEST:
                    break
                is_over = ending.returned is not None and ending.returned < life.asked
                if not is_over and ending.concerns(life):
                    yield ending

    def refused(self, life: Life, answer: Answer) -> bool:
        """A session was refused, which ends it for good. False where nobody has
        made a call that explains it.
        """
        causes = [one for one in self.of(life) if one.began <= answer.received]
        if causes and all(one.lifted is None for one in causes):
            with self.calling("refused", username=life.username, pk=life.pk) as ending:
                ending.began = answer.started
                # A worker that was killed may have deleted the row, and told nobody.
                ending.cache_failed = self.kills.overlap(
                    answer.started - self.max_age, answer.received
                )
        return bool(causes)

    def ended_before(self, life: Life, answer: Answer) -> list[Ending]:
        return [one for one in self.of(life) if one.has_ended(life, answer)]

    def judge(self, life: Life, answer: Answer) -> str | None:
        """What is wrong with an answer that was given as to a session alive."""
        broken = self.ended_before(life, answer)
        if not broken:
            return None
        if all(one.kind in OF_ROWS for one in broken) and any(
            self._is_excused(one, answer) for one in broken
        ):
            return "excused"
        return f"violation: {broken[-1].kind}"

    def _is_excused(self, ending: Ending, answer: Answer) -> bool:
        assert ending.returned is not None
        return answer.started < ending.returned + self.max_age and (
            ending.cache_failed
            or self.outages.overlap(ending.began, answer.received)
            # What was told in time isn't forgotten.
            or (
                ending.kind in UNREPORTED
                and self.silences.overlap(ending.began, ending.returned)
            )
        )

    def counts(self) -> dict[str, int]:
        """How many calls of each kind have returned."""
        counts: dict[str, int] = defaultdict(int)
        for endings in list(self._lists.values()):
            for ending in endings:
                counts[ending.kind] += ending.returned is not None
        return dict(sorted(counts.items()))
