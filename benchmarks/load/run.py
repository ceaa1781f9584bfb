"""One run: browsers and saboteur side by side, until enough has been asked for."""

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
from .endings import Endings
from .sabotage import Saboteur
from .servers import Cache, Gunicorn

# Seconds between two lines of progress.
PROGRESS = 10


@dataclass(frozen=True, kw_only=True)
class Result:
    seconds: float
    counts: Counter[str]
    endings: dict[str, int]
    kills: int
    restarts: int
    silences: int


class Run:
    def __init__(
        self, site: Gunicorn, cache: Cache, *, users: int, browsers: int
    ) -> None:
        names = [f"user{number}" for number in range(users)]
        _make_users(names)
        self.site = site
        self.stop = threading.Event()
        self.endings = Endings(max_age=conf.CACHE_MAX_AGE)
        self.browsers = [
            Browser(names[number % users], site.port, self.endings, self.stop)
            for number in range(browsers)
        ]
        self.saboteur = Saboteur(self.browsers, self.endings, site, cache, self.stop)

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
            # Else the run might find nothing for want of anything to find.
            if not self.site.is_running() or not all(
                thread.is_alive() for thread in threads
            ):
                raise RuntimeError("the site or a thread has ended; see the log")

    def _compare_what_is_left(self) -> None:
        for browser in self.browsers:
            if browser.life is not None:
                browser.compare_stored(browser.life)

    def counts(self) -> Counter[str]:
        return sum((one.counts.copy() for one in self.browsers), Counter())

    def _result(self, seconds: float) -> Result:
        return Result(
            seconds=seconds,
            counts=self.counts(),
            endings=self.endings.counts(),
            kills=self.saboteur.kills,
            restarts=self.saboteur.restarts,
            silences=self.saboteur.silences,
        )


def _make_users(names: list[str]) -> None:
    model = get_user_model()
    password = make_password("secret")
    model.objects.bulk_create(model(username=name, password=password) for name in names)
