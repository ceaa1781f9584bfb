"""Browsers of visitors, whose attempts are limited by their session."""

from __future__ import annotations

from typing import ClassVar

from .browser_sessions import BrowserSession
from .browsers import Browser, session_of
from .pages import Answer
from .views import LIMIT

REDIRECT = 302


class Visitor(Browser):
    """A visitor, who makes attempts by POST, and whose GETs read and write.

    The ``username`` is a name for the calls that end the visitor's sessions.
    """

    STEPS: ClassVar[dict[str, int]] = {
        "read": 760,
        "attempt": 90,
        "put": 40,
        "change_twice_at_once": 30,
        "compare_stored": 20,
        "try_an_ended_one": 40,
        "start_anew": 20,
    }

    # Steps

    def begin(self) -> None:
        answer = self.connection.ask("/attempts/", method="POST")
        self._note(answer)
        if answer.cookie:
            self._begin_with(answer)

    def _begin_with(self, answer: Answer) -> None:
        session = session_of(self.username, answer.content["id"], answer)
        session.is_visitor = True
        self.session = session
        self.counts["visitors"] += 1
        self._note_attempt(session, answer)

    def read(self, session: BrowserSession) -> None:
        answer = self._ask(session, "/attempts/")
        if session.has_ended or answer.status != 200:
            return
        if answer.content["count"] < session.changes.least:
            self.counts["stale pages"] += 1
            if answer.started > session.changed + self.end_calls.max_age:
                self.counts["violation: a copy after CACHE_MAX_AGE"] += 1

    def attempt(self, session: BrowserSession) -> None:
        answer = self.connection.ask("/attempts/", cookie=session.cookie, method="POST")
        self._judge_attempt(session, answer)
        if session.has_ended and answer.cookie:
            # The page has made another session.
            self._begin_with(answer)

    def put(self, session: BrowserSession) -> None:
        name = next(self.names)
        session.changes.keys[name] = None
        answer = self._ask(session, f"/keep/{name}/")
        if answer.status == 200 and not session.has_ended:
            self._note_change(session, name, is_there=True)

    def change_twice_at_once(self, session: BrowserSession) -> None:
        """Write by a GET while a POST counts an attempt."""
        future = self.executor.submit(
            self.other.ask, "/attempts/", cookie=session.cookie, method="POST"
        )
        self.put(session)
        self._judge_attempt(session, future.result())

    def try_an_ended_one(self, session: BrowserSession) -> None:
        for ended in list(self.ended)[-1:]:
            self._ask(ended, "/attempts/")

    def start_anew(self, session: BrowserSession) -> None:
        """Begin another session, as a browser without cookies does."""
        self.compare_stored(session)
        self.session = None

    # Results

    def _ask(self, session: BrowserSession, path: str) -> Answer:
        answer = super()._ask(session, path)
        if answer.status == REDIRECT:
            answer = super()._ask(session, path)
            self.counts["redirected twice"] += answer.status == REDIRECT
        return answer

    def _judge(self, session: BrowserSession, answer: Answer) -> None:
        self._note(answer)
        if answer.status != 200:
            return
        if answer.content["id"] != session.pk:
            self._refused(session, answer)
            # Only a POST makes a session, and says which.
            if answer.content["id"] is not None and answer.method == "GET":
                self.counts["violation: another session"] += 1
        elif wrong := self.end_calls.judge(session, answer):
            self.counts[wrong] += 1

    def _judge_attempt(self, session: BrowserSession, answer: Answer) -> None:
        self._judge(session, answer)
        if answer.status != 200:
            session.changes.may_have_counted()
        elif answer.content["id"] == session.pk:
            self._note_attempt(session, answer)

    def _note_attempt(self, session: BrowserSession, answer: Answer) -> None:
        if not answer.content["admitted"]:
            self.counts["attempts refused"] += 1
            return
        self.counts["attempts"] += 1
        self.counts["changes"] += 1
        session.changed = answer.received
        session.attempts += 1
        self.counts["limit passed"] += session.attempts > LIMIT
        if not session.changes.counted(answer.content["count"]):
            self.counts["lost: counts"] += 1
