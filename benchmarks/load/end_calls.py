"""The calls that end sessions, and the check of answers that came after them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .browser_sessions import BrowserSession
from .pages import Answer

# The call that tells no cache: a visitor's copy is believed until it is too old.
UNTOLD = "everybody"
# The longest time of a call, in seconds.
LONGEST = 30


@dataclass
class EndCall:
    """A call that ends sessions: one, all of a user, or everybody's."""

    kind: str
    username: str | None = None
    pk: str | None = None
    # Seconds of the monotonic clock: the start, the return, and the undoing.
    began: float = field(default_factory=time.monotonic)
    returned: float | None = None
    lifted: float | None = None
    cache_failed: bool = False

    def concerns(self, session: BrowserSession) -> bool:
        return self.pk in {None, session.pk}

    def has_ended(self, session: BrowserSession, answer: Answer) -> bool:
        """Return whether the call returned before the answer's request started."""
        return (
            self.returned is not None
            and session.signed_in <= self.began
            and self.returned < answer.started
            and (self.lifted is None or answer.received < self.lifted)
        )


class Outages:
    """The times in which a server could not be reached."""

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


class EndCalls:
    def __init__(self, *, max_age: int) -> None:
        self.max_age = max_age
        # The cache was down, or came back with what it held earlier.
        self.outages = Outages()
        self._lists: dict[str | None, list[EndCall]] = defaultdict(list)

    @contextmanager
    def recording(
        self, kind: str, *, username: str | None = None, pk: str | None = None
    ) -> Iterator[EndCall]:
        """Record the start and the end of the block, which makes the call."""
        call = EndCall(kind, username=username, pk=pk)
        self._lists[username].append(call)
        yield call
        call.returned = time.monotonic()

    def of(self, session: BrowserSession) -> Iterator[EndCall]:
        """Yield the calls that may have ended the session, the latest first."""
        for username in (session.username, None):
            for call in reversed(self._lists[username]):
                if call.began < session.requested - LONGEST:
                    break
                is_over = (
                    call.returned is not None and call.returned < session.requested
                )
                if not is_over and call.concerns(session):
                    yield call

    def refused(self, session: BrowserSession, answer: Answer) -> bool:
        """Record that a session was refused, and so has ended.

        Return False if no call explains it.
        """
        causes = [one for one in self.of(session) if one.began <= answer.received]
        # A visitor may be refused by the database, and then answered by a copy.
        is_final = bool(causes) and all(one.lifted is None for one in causes)
        if is_final and not session.is_visitor:
            with self.recording(
                "refused", username=session.username, pk=session.pk
            ) as call:
                call.began = answer.started
        return bool(causes)

    def ended_before(self, session: BrowserSession, answer: Answer) -> list[EndCall]:
        return [one for one in self.of(session) if one.has_ended(session, answer)]

    def judge(self, session: BrowserSession, answer: Answer) -> str | None:
        """Return the error in an answer that admitted the session, or ``None``."""
        broken = self.ended_before(session, answer)
        if not broken:
            return None
        # No copy answers anything but this.
        may_be_copy = session.is_visitor and answer.method == "GET"
        if may_be_copy and self._are_excused(broken, answer):
            return "excused"
        return f"violation: {broken[-1].kind}"

    def _are_excused(self, calls: list[EndCall], answer: Answer) -> bool:
        # The first of them, or one beside it: the others found no row.
        first = min(call.returned or 0 for call in calls)
        return any(
            self._is_excused(call, answer) for call in calls if call.began <= first
        )

    def _is_excused(self, call: EndCall, answer: Answer) -> bool:
        """Return whether the copies of a visitor may not know of the call yet."""
        assert call.returned is not None
        return answer.started < call.returned + self.max_age and (
            call.kind == UNTOLD
            or call.cache_failed
            or self.outages.overlap(call.began, answer.received)
        )

    def counts(self) -> dict[str, int]:
        """Return the number of calls of each kind that have returned."""
        counts: dict[str, int] = defaultdict(int)
        for calls in list(self._lists.values()):
            for call in calls:
                counts[call.kind] += call.returned is not None
        return dict(sorted(counts.items()))
