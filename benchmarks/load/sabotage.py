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

from wagtail_user_sessions.models import Reason, Session
from wagtail_user_sessions.sessions.mass_deletion import MassRevocation
from wagtail_user_sessions.sessions.reasons import end_context

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
    "silence": 18,
    "end_all": 15,
}


@dataclass
class Saboteur:
    browsers: Sequence[Browser]
    end_calls: EndCalls
    site: Gunicorn
    cache: Cache
    stop: threading.Event

    def __post_init__(self) -> None:
        self.kills = self.restarts = self.silences = 0
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
        session = random.choice(self.browsers).session
        if session is not None:
            roads = [self._revoke, self._delete, self._ask, self._everywhere]
            random.choice(roads)(session.username, session.pk)

    def _revoke(self, username: str, pk: str) -> None:
        with self.end_calls.recording("revoke()", username=username, pk=pk) as call:
            revoked = Session.objects.filter(pk=pk).revoke()
            call.cache_failed = revoked.cache_failed

    def _everywhere(self, username: str, pk: str) -> None:
        user = self._user(username)
        with self.end_calls.recording("everywhere", username=username) as call:
            call.cache_failed = user.session_set.all().revoke().cache_failed

    def _delete(self, username: str, pk: str) -> None:
        user = self._user(username)
        with self.end_calls.recording("delete()", username=username) as call:
            # The context reports a failed cache; its reason is the default one.
            with end_context(Reason.DELETED) as context:
                user.session_set.all().delete()
            call.cache_failed = context.cache_failed

    def _ask(self, username: str, pk: str) -> None:
        with self.end_calls.recording("a page", username=username, pk=pk) as call:
            while (answer := self.connection.ask(f"/end/{pk}/")).status != 200:
                # A killed worker may have ended it without telling the cache.
                call.cache_failed = True
            call.cache_failed |= answer.content["cache_failed"]

    def end_all(self) -> None:
        with self.end_calls.recording("everybody") as call:
            revocation = MassRevocation(Session.rows())
            for _ in revocation:
                pass
            call.cache_failed = revocation.cache_failed

    # Users

    def change_a_user(self) -> None:
        username = random.choice(self.browsers).username
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
        with self.end_calls.kills.during():
            self.kills += self.site.kill_a_worker()

    def restart(self) -> None:
        with self.over_cache, self.end_calls.outages.during():
            self.cache.stop(signal.SIGKILL)
            time.sleep(random.uniform(0, 1.5))
            self.cache.start()
        self.restarts += 1

    def silence(self) -> None:
        """Stop the cache for a moment: it accepts calls, and answers them too late."""
        with self.over_cache, self.end_calls.silences.during():
            self.cache.send(signal.SIGSTOP)
            try:
                time.sleep(random.uniform(0, 2))
            finally:
                self.cache.send(signal.SIGCONT)
        self.silences += 1
