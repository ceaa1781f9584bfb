"""One run: browsers and saboteur at the same time, until there are enough requests."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password

from wagtail_user_sessions.conf import conf

from .browsers import Browser
from .end_calls import EndCalls
from .sabotage import Saboteur
from .servers import Cache, Gunicorn
from .visitors import Visitor

# Seconds between two lines of progress.
PROGRESS = 10


@dataclass(frozen=True, kw_only=True)
class Result:
    seconds: float
    counts: Counter[str]
    end_calls: dict[str, int]
    kills: int
    restarts: int
    restores: int
    silences: int


class Run:
    def __init__(
        self,
        site: Gunicorn,
        cache: Cache,
        *,
        users: int,
        browsers: int,
        visitors: int,
    ) -> None:
        names = [f"user{number}" for number in range(users)]
        _make_users(names)
        self.site = site
        self.stop = threading.Event()
        self.end_calls = EndCalls(max_age=conf.CACHE_MAX_AGE)
        signed_in = [
            Browser(names[number % users], site.port, self.end_calls, self.stop)
            for number in range(browsers)
        ]
        anonymous = [
            Visitor(f"visitor {number}", site.port, self.end_calls, self.stop)
            for number in range(visitors)
        ]
        self.browsers = [*signed_in, *anonymous]
        self.saboteur = Saboteur(
            signed_in, anonymous, self.end_calls, site, cache, self.stop
        )

    def until(self, requests: int) -> Result:
        threads = [threading.Thread(target=one.run) for one in self.browsers]
        threads += self.saboteur.threads()
        started = time.monotonic()
        for thread in threads:
            thread.start()
        try:
            self._wait(requests, threads)
        finally:
            self.stop.set()
            for thread in threads:
                thread.join()
        seconds = time.monotonic() - started
        self._compare_what_is_left()
        return self._result(seconds)

    def _wait(self, requests: int, threads: list[threading.Thread]) -> None:
        while (done := self.counts()["requests"]) < requests:
            print(f"{done:,} requests", file=sys.stderr, flush=True)
            self.stop.wait(PROGRESS)
            # Without the site or a thread, the run would find no error.
            if not self.site.is_running() or not all(
                thread.is_alive() for thread in threads
            ):
                raise RuntimeError("the site or a thread has ended; see the log")

    def _compare_what_is_left(self) -> None:
        for browser in self.browsers:
            if browser.session is not None:
                browser.compare_stored(browser.session)

    def counts(self) -> Counter[str]:
        return sum((one.counts.copy() for one in self.browsers), Counter())

    def _result(self, seconds: float) -> Result:
        return Result(
            seconds=seconds,
            counts=self.counts(),
            end_calls=self.end_calls.counts(),
            kills=self.saboteur.kills,
            restarts=self.saboteur.restarts,
            restores=self.saboteur.restores,
            silences=self.saboteur.silences,
        )


def _make_users(names: list[str]) -> None:
    model = get_user_model()
    password = make_password("secret")
    model.objects.bulk_create(model(username=name, password=password) for name in names)
