"""Browsers of users, who read and change their session, and sign in again at its end."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, ClassVar

from .browser_sessions import BrowserSession
from .end_calls import EndCalls
from .pages import Answer, Connection
from .stored import stored

# The most keys of a session, and the most cookies that a browser remembers.
KEYS, COOKIES = 12, 6


@dataclass
class Browser:
    username: str
    port: int
    end_calls: EndCalls
    stop: threading.Event

    # The number of each step among a thousand.
    STEPS: ClassVar[dict[str, int]] = {
        "read": 750,
        "count_up": 70,
        "put": 40,
        "pop": 25,
        "change_twice_at_once": 50,
        "compare": 25,
        "try_an_ended_one": 25,
        "renew": 10,
        "sign_out": 5,
    }

    def __post_init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.session: BrowserSession | None = None
        self.ended: deque[BrowserSession] = deque(maxlen=COOKIES)
        self.connection, self.other = Connection(self.port), Connection(self.port)
        self.executor = ThreadPoolExecutor(1)
        self.names = map(str, count())

    def run(self) -> None:
        while not self.stop.is_set():
            if self.session is None:
                self.begin()
            else:
                (step,) = random.choices(list(self.STEPS), list(self.STEPS.values()))
                getattr(self, step)(self.session)
        self.executor.shutdown()

    # Steps

    def begin(self) -> None:
        """Sign in, often from a visitor's session."""
        if random.choice([True, False]):
            self._visit_and_sign_in()
        else:
            self._sign_in()

    def _visit_and_sign_in(self) -> None:
        """Sign in from a visitor's session; its key is refused from then on."""
        visit = self.connection.ask("/attempts/", method="POST")
        self._note(visit)
        if not visit.cookie:
            return
        recording = self.end_calls.recording("new key", username=self.username)
        with recording as call:
            call.pk = f"{visit.content['id']} before its sign-in"
            old = session_of(self.username, call.pk, visit)
            session = self._sign_in(visit.cookie)
            if session is None or session.pk != visit.content["id"]:
                # The result is unknown, so the call doesn't count as one that ended it.
                call.lifted = 0
        if session is not None:
            self._compare_sign_in(session, old, visit)

    def _compare_sign_in(
        self, session: BrowserSession, old: BrowserSession, visit: Answer
    ) -> None:
        """Expect the visitor's data in the session, and no more of the old key."""
        session.changes.most = visit.content["count"]
        # Another row if the visitor's has ended meanwhile, with the data or without.
        if session.pk == visit.content["id"]:
            self.counts["sign-ins of visitors"] += 1
            session.changes.least = session.changes.most
            old.has_ended = True
            self.ended.append(old)

    def _sign_in(self, cookie: str | None = None) -> BrowserSession | None:
        answer = self.connection.ask(f"/sign-in/{self.username}/", cookie=cookie)
        self._note(answer)
        if answer.user is None or not answer.cookie:
            self.counts["sign-ins refused"] += 1
            time.sleep(0.1)
            return None
        self.counts["sessions"] += 1
        self.session = session_of(self.username, answer.content["id"], answer)
        return self.session

    def read(self, session: BrowserSession) -> None:
        self._ask(session, "/whoami/")

    def count_up(self, session: BrowserSession) -> None:
        answer = self._ask(session, "/count/")
        self._note_count(session, answer)

    def put(self, session: BrowserSession) -> None:
        name = next(self.names)
        session.changes.keys[name] = None
        if self._ask(session, f"/put/{name}/").user is not None:
            self._note_change(session, name, is_there=True)

    def pop(self, session: BrowserSession) -> None:
        there = [name for name, is_there in session.changes.keys.items() if is_there]
        if there:
            self._pop(session, random.choice(there))

    def change_twice_at_once(self, session: BrowserSession) -> None:
        """Send two requests at once that change different keys of the session."""
        future = self.executor.submit(self.other.ask, "/count/", cookie=session.cookie)
        self.put(session)
        answer = future.result()
        self._judge(session, answer)
        self._note_count(session, answer)

    def compare(self, session: BrowserSession) -> None:
        answer = self._ask(session, "/data/")
        if answer.user is not None:
            self._compare(session, answer)
        while len(session.changes.keys) > KEYS and not session.has_ended:
            name = next(iter(session.changes.keys))
            if self._pop(session, name).status != 200:
                break
            # After this check the key is of no more interest.
            self._compare(session, self._ask(session, "/data/"))
            del session.changes.keys[name]

    def try_an_ended_one(self, session: BrowserSession) -> None:
        if self.ended:
            ended = random.choice(self.ended)
            self._judge(ended, self.connection.ask("/whoami/", cookie=ended.cookie))

    def renew(self, session: BrowserSession) -> None:
        """Get a new session key while another request changes data with the old one.

        The old key is refused from then on.
        """
        name = next(self.names)
        old = replace(session, pk=f"{session.pk} before {name}", has_ended=True)
        session.changes.keys[name] = None
        future = self.executor.submit(
            self.other.ask, f"/put/{name}/", cookie=session.cookie
        )
        recording = self.end_calls.recording(
            "new key", username=session.username, pk=old.pk
        )
        with recording as call:
            answer = self._ask(session, "/renew/")
            if not answer.cookie:
                # The result is unknown, so the call doesn't count as one that ended it.
                call.lifted = 0
        self._judge_beside(session, old, future.result(), name)
        if answer.cookie and not session.has_ended:
            session.cookie = answer.cookie
            self.ended.append(old)
        elif answer.status == 0:
            # The session has the old key or a new one that the browser doesn't know.
            self.compare_stored(session)
            self.session = None

    def _judge_beside(
        self, session: BrowserSession, old: BrowserSession, answer: Answer, name: str
    ) -> None:
        if answer.user is None:
            # It came too late for the old key; the session itself has not ended.
            self._judge(old, answer)
        else:
            self._judge(session, answer)
            if wrong := self.end_calls.judge(old, answer):
                self.counts[wrong] += 1
            self._note_change(session, name, is_there=True)

    def sign_out(self, session: BrowserSession) -> None:
        recording = self.end_calls.recording(
            "signed out", username=session.username, pk=session.pk
        )
        with recording as call:
            answer = self._ask(session, "/sign-out/")
            if answer.user is None:
                # The result is unknown, so the call doesn't count as one that ended it.
                call.lifted = 0
        self._forget(session)

    # Results

    def _ask(self, session: BrowserSession, path: str) -> Answer:
        answer = self.connection.ask(path, cookie=session.cookie)
        self._judge(session, answer)
        return answer

    def _note(self, answer: Answer) -> None:
        if answer.status == 0:
            self.counts["connections reset"] += 1
            # Wait for another worker.
            time.sleep(0.01)
            return
        self.counts["requests"] += 1
        if answer.status != 200:
            self.counts[f"answers {answer.status}"] += 1

    def _judge(self, session: BrowserSession, answer: Answer) -> None:
        self._note(answer)
        if answer.status != 200:
            return
        if answer.user is None:
            self._refused(session, answer)
        elif answer.user != session.username:
            self.counts["violation: another user"] += 1
        elif wrong := self.end_calls.judge(session, answer):
            self.counts[wrong] += 1

    def _refused(self, session: BrowserSession, answer: Answer) -> None:
        if self.end_calls.ended_before(session, answer):
            self.counts["refused after the end"] += 1
        if session.has_ended:
            return
        if not self.end_calls.refused(session, answer):
            self.counts["sessions lost"] += 1
        self._forget(session)

    def _forget(self, session: BrowserSession) -> None:
        session.has_ended = True
        self.ended.append(session)
        if self.session is session:
            self.session = None

    def _pop(self, session: BrowserSession, name: str) -> Answer:
        session.changes.keys[name] = None
        answer = self._ask(session, f"/pop/{name}/")
        if answer.user is not None:
            self._note_change(session, name, is_there=False)
        return answer

    def _note_change(
        self, session: BrowserSession, name: str, *, is_there: bool
    ) -> None:
        session.changes.keys[name] = is_there
        self.counts["changes"] += 1

    def _note_count(self, session: BrowserSession, answer: Answer) -> None:
        if answer.user is None:
            session.changes.may_have_counted()
            return
        self.counts["changes"] += 1
        if not session.changes.counted(answer.content["count"]):
            self.counts["lost: counts"] += 1

    def _compare(self, session: BrowserSession, answer: Answer) -> None:
        self.counts["comparisons"] += 1
        data = answer.content.get("data")
        if data is not None:
            self._compare_data(session, data)

    def compare_stored(self, session: BrowserSession) -> None:
        data = stored(session.pk)
        if data is not None:
            self._compare_data(session, data)

    def _compare_data(self, session: BrowserSession, data: dict[str, Any]) -> None:
        if lost := session.changes.differences(data):
            self.counts["lost: keys"] += len(lost)
            session.changes.corrected(data)


def session_of(username: str, pk: str, answer: Answer) -> BrowserSession:
    """Return the session that began with the answer."""
    assert answer.cookie is not None
    return BrowserSession(username, pk, answer.cookie, answer.started, answer.received)
