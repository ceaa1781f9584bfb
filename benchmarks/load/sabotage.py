"""Threads that end sessions, break the cache and kill workers."""

from __future__ import annotations

import random
import signal
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections

from wagtail_user_sessions.models import Session
from wagtail_user_sessions.sessions.mass_deletion import MassRevocation

from .browsers import Browser
from .end_calls import EndCall, EndCalls
from .pages import Connection
from .servers import Cache, Gunicorn

# The average seconds between two acts of a thread.
EVERY = {
    "end": 0.15,
    "change_a_user": 0.7,
    "kill": 4,
    "restart": 18,
    "restore": 30,
    "silence": 18,
    "end_all": 15,
}


@dataclass
class Saboteur:
    users: Sequence[Browser]
    visitors: Sequence[Browser]
    end_calls: EndCalls
    site: Gunicorn
    cache: Cache
    stop: threading.Event

    def __post_init__(self) -> None:
        self.kills = self.restarts = self.restores = self.silences = 0
        # Held while a thread breaks the cache.
        self.over_cache = threading.Lock()
        self.connection = Connection(self.site.port)

    def threads(self) -> list[threading.Thread]:
        acts: list[Callable[[], None]] = [getattr(self, name) for name in EVERY]
        return [threading.Thread(target=self._repeat, args=[act]) for act in acts]

    def _repeat(self, act: Callable[[], None]) -> None:
        every = EVERY[act.__name__]
        try:
            while not self.stop.wait(random.uniform(0.5, 1.5) * every):
                act()
        finally:
            connections.close_all()

    # Sessions

    def end(self) -> None:
        """End one session, or all of one user."""
        session = random.choice([*self.users, *self.visitors]).session
        if session is None:
            return
        roads = [self._revoke, self._ask]
        if not session.is_visitor:
            roads += [self._delete, self._everywhere]
        random.choice(roads)(session.username, session.pk)

    def _revoke(self, username: str, pk: str) -> None:
        with self.end_calls.recording("revoke()", username=username, pk=pk) as call:
            revoked = Session.objects.filter(pk=pk).revoke()
            call.cache_failed = revoked.cache_failed

    def _everywhere(self, username: str, pk: str) -> None:
        user = self._user(username)
        with self.end_calls.recording("everywhere", username=username):
            user.session_set.all().revoke()

    def _delete(self, username: str, pk: str) -> None:
        user = self._user(username)
        with self.end_calls.recording("delete()", username=username):
            user.session_set.all().delete()

    def _ask(self, username: str, pk: str) -> None:
        with self.end_calls.recording("a page", username=username, pk=pk) as call:
            while (answer := self.connection.ask(f"/end/{pk}/")).status != 200:
                # A killed worker may have ended a visitor's without telling the cache.
                call.cache_failed = True
            call.cache_failed |= answer.content["cache_failed"]

    def end_all(self) -> None:
        with self.end_calls.recording("everybody"):
            for _ in MassRevocation(Session.rows()):
                pass

    # Users

    def change_a_user(self) -> None:
        username = random.choice(self.users).username
        random.choice([self._save, self._update, self._change_password])(username)

    def _save(self, username: str) -> None:
        user = self._user(username)
        with self.end_calls.recording(
            "deactivated by save()", username=username
        ) as call:
            user.is_active = False
            user.save()
        self._lift(call, user)

    def _update(self, username: str) -> None:
        user = self._user(username)
        with self.end_calls.recording(
            "deactivated by update()", username=username
        ) as call:
            type(user)._default_manager.filter(pk=user.pk).update(is_active=False)
        self._lift(call, user)

    def _lift(self, call: EndCall, user: Any) -> None:
        time.sleep(random.uniform(0.3, 1))
        call.lifted = time.monotonic()
        user.is_active = True
        user.save(update_fields=["is_active"])

    def _change_password(self, username: str) -> None:
        user = self._user(username)
        user.set_password(uuid.uuid4().hex)
        with self.end_calls.recording("new password", username=username):
            user.save()

    def _user(self, username: str) -> Any:
        # Any: not every user model has these attributes.
        return get_user_model().objects.get(username=username)

    # Processes

    def kill(self) -> None:
        self.kills += self.site.kill_a_worker()

    def restart(self) -> None:
        with self.over_cache, self.end_calls.outages.during():
            self.cache.stop(signal.SIGKILL)
            time.sleep(random.uniform(0, 1.5))
            self.cache.start()
        self.restarts += 1

    def restore(self) -> None:
        """Let the cache come back with what it held a moment ago."""
        with self.over_cache:
            if not self.cache.take_snapshot():
                return
            self.stop.wait(random.uniform(0.5, 3))
            with self.end_calls.outages.during():
                self.cache.stop(signal.SIGKILL)
                self.cache.restore()
        self.restores += 1

    def silence(self) -> None:
        """Stop the cache for a moment: it accepts calls, and answers them too late."""
        with self.over_cache, self.end_calls.outages.during():
            self.cache.send(signal.SIGSTOP)
            try:
                time.sleep(random.uniform(0, 2))
            finally:
                self.cache.send(signal.SIGCONT)
        self.silences += 1
