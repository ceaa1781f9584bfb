"""Browsers that read, change their session, and sign in anew when it has ended."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import count

from .endings import Endings
from .lives import Life
from .pages import Answer, Connection
from .stored import stored

# Of a thousand steps, how many do what.
STEPS = {
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
# Keys that a session has at most, and cookies that a browser remembers.
KEYS, COOKIES = 12, 6


@dataclass
class Browser:
    username: str
    port: int
    endings: Endings
    stop: threading.Event

    def __post_init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.life: Life | None = None
        self.ended: deque[Life] = deque(maxlen=COOKIES)
        self.connection, self.other = Connection(self.port), Connection(self.port)
        self.beside = ThreadPoolExecutor(1)
        self.names = map(str, count())

    def run(self) -> None:
        while not self.stop.is_set():
            if self.life is None:
                self.sign_in()
            else:
                (step,) = random.choices(list(STEPS), list(STEPS.values()))
                getattr(self, step)(self.life)
        self.beside.shutdown()

    # Steps

    def sign_in(self) -> None:
        answer = self.connection.ask(f"/sign-in/{self.username}/")
        self._note(answer)
        if answer.user is None or answer.cookie is None:
            self.counts["sign-ins refused"] += 1
            time.sleep(0.1)
            return
        self.life = Life(
            self.username,
            answer.facts["id"],
            answer.cookie,
            answer.started,
            answer.received,
        )
        self.counts["sessions"] += 1

    def read(self, life: Life) -> None:
        self._ask(life, "/whoami/")

    def count_up(self, life: Life) -> None:
        answer = self._ask(life, "/count/")
        self._note_count(life, answer)

    def put(self, life: Life) -> None:
        name = next(self.names)
        life.changes.keys[name] = None
        if self._ask(life, f"/put/{name}/").user is not None:
            self._note_change(life, name, is_there=True)

    def pop(self, life: Life) -> None:
        there = [name for name, is_there in life.changes.keys.items() if is_there]
        if there:
            self._pop(life, random.choice(there))

    def change_twice_at_once(self, life: Life) -> None:
        """Two requests of one session, which change different keys."""
        beside = self.beside.submit(self.other.ask, "/count/", cookie=life.cookie)
        self.put(life)
        answer = beside.result()
        self._judge(life, answer)
        self._note_count(life, answer)

    def compare(self, life: Life) -> None:
        answer = self._ask(life, "/data/")
        if answer.user is not None:
            self._compare(life, answer)
        while len(life.changes.keys) > KEYS and not life.has_ended:
            name = next(iter(life.changes.keys))
            if self._pop(life, name).status != 200:
                break
            # Once it was seen to be away, it may be forgotten.
            self._compare(life, self._ask(life, "/data/"))
            del life.changes.keys[name]

    def try_an_ended_one(self, life: Life) -> None:
        if self.ended:
            ended = random.choice(self.ended)
            self._judge(ended, self.connection.ask("/whoami/", cookie=ended.cookie))

    def renew(self, life: Life) -> None:
        """Get a new key beside a change under the old one, which is dead at once."""
        name = next(self.names)
        old = replace(life, pk=f"{life.pk} before {name}", has_ended=True)
        life.changes.keys[name] = None
        beside = self.beside.submit(self.other.ask, f"/put/{name}/", cookie=life.cookie)
        calling = self.endings.calling("new key", username=life.username, pk=old.pk)
        with calling as ending:
            answer = self._ask(life, "/renew/")
            if not answer.cookie:
                # Nobody knows; at least it isn't known to have ended.
                ending.lifted = 0
        self._judge_beside(life, old, beside.result(), name)
        if answer.cookie and not life.has_ended:
            life.cookie = answer.cookie
            self.ended.append(old)
        elif answer.status == 0:
            # It has one of two keys, of which the browser knows one.
            self.compare_stored(life)
            self.life = None

    def _judge_beside(self, life: Life, old: Life, answer: Answer, name: str) -> None:
        if answer.user is None:
            # It came too late for the old key, and the session goes on.
            self._judge(old, answer)
        else:
            self._judge(life, answer)
            if wrong := self.endings.judge(old, answer):
                self.counts[wrong] += 1
            self._note_change(life, name, is_there=True)

    def sign_out(self, life: Life) -> None:
        calling = self.endings.calling("signed out", username=life.username, pk=life.pk)
        with calling as ending:
            answer = self._ask(life, "/sign-out/")
            if answer.user is None:
                # Nobody knows; at least it isn't known to have ended.
                ending.lifted = 0
        self._forget(life)

    # What came of them

    def _ask(self, life: Life, path: str) -> Answer:
        answer = self.connection.ask(path, cookie=life.cookie)
        self._judge(life, answer)
        return answer

    def _note(self, answer: Answer) -> None:
        if answer.status == 0:
            self.counts["connections reset"] += 1
            # Until there is another worker.
            time.sleep(0.01)
            return
        self.counts["requests"] += 1
        if answer.status != 200:
            self.counts[f"answers {answer.status}"] += 1

    def _judge(self, life: Life, answer: Answer) -> None:
        self._note(answer)
        if answer.status != 200:
            return
        if answer.user is None:
            self._refused(life, answer)
        elif answer.user != life.username:
            self.counts["violation: another user"] += 1
        elif wrong := self.endings.judge(life, answer):
            self.counts[wrong] += 1

    def _refused(self, life: Life, answer: Answer) -> None:
        if self.endings.ended_before(life, answer):
            self.counts["refused after the end"] += 1
        if life.has_ended:
            return
        if not self.endings.refused(life, answer):
            self.counts["sessions lost"] += 1
        self._forget(life)

    def _forget(self, life: Life) -> None:
        life.has_ended = True
        self.ended.append(life)
        if self.life is life:
            self.life = None

    def _pop(self, life: Life, name: str) -> Answer:
        life.changes.keys[name] = None
        answer = self._ask(life, f"/pop/{name}/")
        if answer.user is not None:
            self._note_change(life, name, is_there=False)
        return answer

    def _note_change(self, life: Life, name: str, *, is_there: bool) -> None:
        life.changes.keys[name] = is_there
        self.counts["changes"] += 1

    def _note_count(self, life: Life, answer: Answer) -> None:
        if answer.user is None:
            life.changes.may_have_counted()
            return
        self.counts["changes"] += 1
        if not life.changes.counted(answer.facts["count"]):
            self.counts["lost: counts"] += 1

    def _compare(self, life: Life, answer: Answer) -> None:
        self.counts["comparisons"] += 1
        data = answer.facts.get("data")
        if data is None or not life.changes.differences(data):
            return
        # The page may have repeated a copy; the row is what counts.
        self.counts["stale pages"] += 1
        self.compare_stored(life)

    def compare_stored(self, life: Life) -> None:
        data = stored(life.pk)
        if data is None:
            return
        if lost := life.changes.differences(data):
            self.counts["lost: keys"] += len(lost)
            life.changes.corrected(data)
