"""What ends sessions, breaks the cache and kills workers, each in a thread."""

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
from .endings import Ending, Endings
from .pages import Connection
from .servers import Cache, Gunicorn

# Seconds from one of a thread's acts to the next, on the average.
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
    endings: Endings
    site: Gunicorn
    cache: Cache
    stop: threading.Event

    def __post_init__(self) -> None:
        self.kills = self.restarts = self.silences = 0
        # Held by who does something to the cache.
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
        life = random.choice(self.browsers).life
        if life is not None:
            roads = [self._revoke, self._delete, self._ask, self._everywhere]
            random.choice(roads)(life.username, life.pk)

    def _revoke(self, username: str, pk: str) -> None:
        with self.endings.calling("revoke()", username=username, pk=pk) as ending:
            revoked = Session.objects.filter(pk=pk).revoke()
            ending.cache_failed = revoked.cache_failed

    def _everywhere(self, username: str, pk: str) -> None:
        user = self._user(username)
        with self.endings.calling("everywhere", username=username) as ending:
            ending.cache_failed = user.session_set.all().revoke().cache_failed

    def _delete(self, username: str, pk: str) -> None:
        user = self._user(username)
        with self.endings.calling("delete()", username=username) as ending:
            # The reason of whoever gives none; to be told of a failed cache.
            with end_context(Reason.DELETED) as cause:
                user.session_set.all().delete()
            ending.cache_failed = cause.cache_failed

    def _ask(self, username: str, pk: str) -> None:
        with self.endings.calling("a page", username=username, pk=pk) as ending:
            while (answer := self.connection.ask(f"/end/{pk}/")).status != 200:
                # The worker that was killed may have ended it, and told nobody.
                ending.cache_failed = True
            ending.cache_failed |= answer.facts["cache_failed"]

    def end_all(self) -> None:
        with self.endings.calling("everybody") as ending:
            revocation = MassRevocation(Session.rows())
            for _ in revocation:
                pass
            ending.cache_failed = revocation.cache_failed

    # Users

    def change_a_user(self) -> None:
        username = random.choice(self.browsers).username
        random.choice([self._save, self._update, self._change_password])(username)

    def _save(self, username: str) -> None:
        user = self._user(username)
        with self.endings.calling("deactivated by save()", username=username) as ending:
            user.is_active = False
            user.save()
        self._lift(ending, user)

    def _update(self, username: str) -> None:
        user = self._user(username)
        with self.endings.calling("deactivated by update()", username=username) as e:
            type(user)._default_manager.filter(pk=user.pk).update(is_active=False)
        self._lift(e, user)

    def _lift(self, ending: Ending, user: Any) -> None:
        time.sleep(random.uniform(0.3, 1))
        ending.lifted = time.monotonic()
        user.is_active = True
        user.save(update_fields=["is_active"])

    def _change_password(self, username: str) -> None:
        user = self._user(username)
        user.set_password(uuid.uuid4().hex)
        with self.endings.calling("new password", username=username):
            user.save()

    def _user(self, username: str) -> Any:
        # Its sessions and its flags are not those of every user model.
        return get_user_model().objects.get(username=username)

    # Processes

    def kill(self) -> None:
        with self.endings.kills.during():
            self.kills += self.site.kill_a_worker()

    def restart(self) -> None:
        with self.over_cache, self.endings.outages.during():
            self.cache.stop(signal.SIGKILL)
            time.sleep(random.uniform(0, 1.5))
            self.cache.start()
        self.restarts += 1

    def silence(self) -> None:
        """It takes what it is told, and answers when nobody waits any more."""
        with self.over_cache, self.endings.silences.during():
            self.cache.send(signal.SIGSTOP)
            try:
                time.sleep(random.uniform(0, 2))
            finally:
                self.cache.send(signal.SIGCONT)
        self.silences += 1
