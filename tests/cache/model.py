"""A model of sessions: what each key leads to, and what a page may show of it.

Two processes serve the requests, each with its own pause and its own calls to make up
for; a request may stay open while others change its session.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY, get_user, get_user_model
from hypothesis.stateful import RuleBasedStateMachine

from tests.cache.faulty_cache import FaultyCache
from wagtail_user_sessions.backends.cached_db import SessionStore
from wagtail_user_sessions.backends.merge import AUTH_KEYS
from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.conf import conf
from wagtail_user_sessions.exceptions import SessionRefused
from wagtail_user_sessions.hashing import hash_session_key
from wagtail_user_sessions.middleware import authentication
from wagtail_user_sessions.models import Session

NAMES = ("alice", "bob")


@dataclass
class State:
    """What a key leads to: the user who is signed in, if any, and the other data."""

    user: str | None = None
    data: dict[str, Any] = field(default_factory=dict)

    def with_data(self, **data: Any) -> State:
        return State(self.user, {**self.data, **data})

    def with_user(self, user: str | None) -> State:
        return State(user, dict(self.data))

    def without(self, key: str) -> State:
        return State(self.user, {k: v for k, v in self.data.items() if k != key})


@dataclass
class Entry:
    """A state of a key (``None``: no session), and the last time at which it stood."""

    state: State | None
    last_time: float
    # Whether the cache has been told since then that the row is another.
    is_disowned: bool = False
    # The processes that tell it before they ask for anything.
    hidden_from: set[int] = field(default_factory=set)

    @property
    def owner(self) -> str | None:
        """The user; ``None`` for a visitor's session, "" for none."""
        return "" if self.state is None else self.state.user


@dataclass
class Process:
    """What a process of the site knows of the cache."""

    pending: dict[str, str] = field(default_factory=dict)
    paused_until: float = 0.0


@dataclass
class Page:
    """A request that has loaded its session: what it was shown of a key."""

    process: int
    key: str
    store: SessionStore
    shown: State | None


class Model(RuleBasedStateMachine):
    """The sessions by their keys, without any rule; it checks what each page shows."""

    def __init__(self):
        super().__init__()
        self.cache = FaultyCache()
        self.wall, self.monotonic = 1_800_000_000.0, 1000.0
        self.processes = [Process(), Process()]
        self.entries: dict[str, list[Entry]] = {}
        # How many attempts were made in the session of a key, whatever its data says.
        self.attempts: dict[str, int] = {}
        self.open: list[Page] = []
        self.numbers = count()
        # The key of the latest step, and how many steps there were.
        self.touched, self.step = "", 0
        # Which process is at work, and whether it left the cache alone at first.
        self.number, self.was_paused = 0, False
        self.users = {
            name: get_user_model().objects.get_or_create(username=name)[0]
            for name in NAMES
        }
        self.names = {str(user.pk): name for name, user in self.users.items()}
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(copies, "get_session_cache", lambda: self.cache)
        clock = SimpleNamespace(
            time=lambda: self.wall, monotonic=lambda: self.monotonic
        )
        self.patch.setattr(copies, "time", clock)

    def teardown(self):
        self.patch.undo()
        copies._pending, copies._paused_until = {}, 0.0
        Session.rows()._raw_delete("default")

    # The model

    def latest(self, key):
        return self.entries[key][-1].state

    def commit(self, key, state, *, is_purged=True):
        """Note that the key leads to another state from now on."""
        *_, latest = self.entries.setdefault(key, []) or [None]
        if latest is not None:
            latest.last_time = max(latest.last_time, self.wall)
            if is_purged and None in {latest.owner, state.user if state else ""}:
                self.purge(self.entries[key])
        self.entries[key].append(Entry(state, self.wall))

    def purge(self, entries):
        """Note that the process at work has told the cache, or will do so first."""
        for entry in entries:
            if self.cache.fault is None and not self.was_paused:
                entry.is_disowned = True
            elif self.cache.fault in {None, "gone", "full"}:
                entry.hidden_from.add(self.number)

    def move(self, old_key, new_key, state):
        """Note that the session of a key has another key from now on."""
        self.attempts[new_key] = self.attempts.get(old_key, 0)
        self.commit(old_key, None)
        self.commit(new_key, state)

    def begin_session(self, key, state):
        self.attempts[key] = 0
        self.commit(key, state)

    def may_be_shown(self, key):
        """Return the states that a page may show that only reads."""
        *older, latest = self.entries[key]
        return [latest.state] + [
            entry.state
            for entry in older
            if not entry.is_disowned
            and self.number not in entry.hidden_from
            # Nobody is signed in by a copy.
            and entry.owner is None
            and self.wall - entry.last_time < conf.CACHE_MAX_AGE
        ]

    def believe_again(self):
        """Note that the cache may have anything that it has ever had."""
        for entries in self.entries.values():
            for entry in entries:
                entry.is_disowned = False
                entry.hidden_from.clear()

    def note_purges(self):
        written, self.cache.written = self.cache.written, set()
        if self.cache.fault == "cut off":
            return
        for key, entries in self.entries.items():
            names = copies._names(hash_session_key(key), Session, "default")
            if names.tag in written:
                for entry in entries[:-1]:
                    entry.is_disowned = True

    def value(self, owner):
        return f"{owner or 'visitor'} {next(self.numbers)}"

    # Requests

    @contextmanager
    def process(self, number):
        process = self.processes[number]
        copies._pending = process.pending
        copies._paused_until = process.paused_until
        self.number, self.was_paused = number, copies._is_paused()
        try:
            yield
        finally:
            process.paused_until = copies._paused_until

    @contextmanager
    def visiting(self, number, key, method, *, by_user=False):
        """Load the session as the page of a block does, which the response follows."""
        with self.process(number):
            page = self.load(number, key, method, by_user=by_user)
            yield page
            page.store.end_request()

    def load(self, number, key, method="GET", *, by_user=False, is_believed=True):
        """Return a page that has loaded its session, as the model expects it."""
        store = SessionStore(key)
        is_read = method in ("GET", "HEAD")
        store.begin_request(is_read=is_read)
        if by_user:
            # The session is read with its user, by one query.
            user = authentication.get_user(SimpleNamespace(session=store))
        shown = self.shown(store)
        page = Page(number, key, store, shown)
        latest = self.latest(key)
        assert shown in (
            self.may_be_shown(key) if is_read and is_believed else [latest]
        )
        if shown is not None and shown.user is not None:
            assert shown == latest, "nobody is signed in by what was"
        if by_user:
            assert user.get_username() == ((shown and shown.user) or "")
        assert get_user(SimpleNamespace(session=store)).is_anonymous == (
            shown is None or shown.user is None
        )
        return page

    def shown(self, store):
        data = dict(store.items())
        if store.session_key is None:
            assert not data
            return None
        user = self.names.get(data.get(SESSION_KEY))
        return State(user, {k: v for k, v in data.items() if k not in AUTH_KEYS})

    def is_refused(self, page):
        """Return whether a write of the page has to be refused."""
        latest = self.latest(page.key)
        return latest is None or latest.user != page.shown.user

    @contextmanager
    def writing(self, page):
        """Yield what the row has; the block's write is refused where there is none."""
        latest = self.latest(page.key)
        if self.is_refused(page):
            with pytest.raises(SessionRefused):
                yield latest or State()
        else:
            yield latest

    def set_values(self, page, **data):
        """Save a change of the page."""
        is_refused = self.is_refused(page)
        with self.writing(page) as latest:
            page.store.update(data)
            page.store.save()
        if not is_refused:
            self.commit(page.key, latest.with_data(**data))
            assert self.shown(page.store) == self.latest(page.key)

    # The table

    def check_table(self):
        rows = {bytes(row.key_hash): row for row in Session.objects.active()}
        for key, entries in self.entries.items():
            row, state = rows.pop(hash_session_key(key), None), entries[-1].state
            assert (row is None) == (state is None), "no ended row is revived"
            if row is not None:
                data = row.get_decoded()
                assert self.names.get(data.get(SESSION_KEY)) == state.user
                assert row.user_id == (state.user and self.users[state.user].pk)
                assert state.data.items() == {
                    (name, value)
                    for name, value in data.items()
                    if name not in AUTH_KEYS
                }
        assert not rows

    def check_owners(self):
        """Check that two users' data never mix."""
        for *_, latest in self.entries.values():
            if latest.state is not None:
                owners = {
                    value.split()[0]
                    for name, value in latest.state.data.items()
                    if name in "abc"
                }
                assert owners <= {"visitor", latest.state.user}
