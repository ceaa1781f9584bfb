"""Visits, changes, sign-ins, ends and faults of the cache in any order, on a model.

The model knows what each session key led to, and until when. Two processes serve the
requests, each with its own pause and its own calls to make up for; a request may stay
open while others change its session.
"""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY, get_user, get_user_model, login, logout
from django.core.management import call_command
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as rules
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.cache.faulty_cache import FAULTS, FaultyCache
from tests.conftest import set_user
from wagtail_user_sessions.backends import db, keys
from wagtail_user_sessions.backends.cached_db import SessionStore
from wagtail_user_sessions.backends.merge import AUTH_KEYS
from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.conf import conf
from wagtail_user_sessions.exceptions import SessionRefused
from wagtail_user_sessions.hashing import hash_session_key
from wagtail_user_sessions.middleware import authentication
from wagtail_user_sessions.models import Session

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("engine", ["cached_db"], indirect=True),
    pytest.mark.usefixtures("engine"),
]

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "60"))
BACKEND = "django.contrib.auth.backends.ModelBackend"
LIMIT = 3
# How many of the sessions most steps are about.
SESSIONS = 2
NAMES = ("alice", "bob")

ROADS = {
    "delete() of the store": lambda key, rows: SessionStore().delete(key),
    "delete() of the rows": lambda key, rows: rows.delete(),
    "delete() of the row": lambda key, rows: rows.get().delete(),
    "revoke() of the rows": lambda key, rows: rows.revoke(),
    "revoke() of the row": lambda key, rows: rows.get().revoke(),
    "without the package": lambda key, rows: rows._raw_delete("default"),
    "by its expiry": lambda key, rows: rows.update(
        expire_date=timezone.now() - timedelta(seconds=1)
    ),
}
# Those of which the cache hears nothing.
UNKNOWN_ROADS = ("without the package", "by its expiry")

names = st.sampled_from(NAMES)
methods = st.sampled_from(["GET", "GET", "POST"])
numbers = st.integers(0, 1)
picks = st.integers(0, 9)


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
    pending: dict[str, str] = field(default_factory=dict)
    paused_until: float = 0.0


@dataclass
class Visit:
    process: int
    key: str
    store: SessionStore
    shown: State | None


class Sessions(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.cache = FaultyCache()
        self.wall, self.monotonic = 1_800_000_000.0, 1000.0
        self.processes = [Process(), Process()]
        self.entries: dict[str, list[Entry]] = {}
        # How many attempts were made in the session of a key, whatever its data says.
        self.attempts: dict[str, int] = {}
        self.open: list[Visit] = []
        self.numbers = count()
        self.step = 0
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
            visit = self.load(number, key, method, by_user=by_user)
            yield visit
            visit.store.end_request()

    def load(self, number, key, method="GET", *, by_user=False, is_believed=True):
        """Return a visit that has loaded its session, as the model expects it."""
        store = SessionStore(key)
        is_read = method in ("GET", "HEAD")
        store.begin_request(is_read=is_read)
        if by_user:
            # The session is read with its user, by one query.
            user = authentication.get_user(SimpleNamespace(session=store))
        shown = self.shown(store)
        visit = Visit(number, key, store, shown)
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
        return visit

    def shown(self, store):
        data = dict(store.items())
        if store.session_key is None:
            assert not data
            return None
        user = self.names.get(data.get(SESSION_KEY))
        return State(user, {k: v for k, v in data.items() if k not in AUTH_KEYS})

    def is_refused(self, visit):
        """Return whether a write of the visit has to be refused."""
        latest = self.latest(visit.key)
        return latest is None or latest.user != visit.shown.user

    @contextmanager
    def writing(self, visit):
        """Yield what the row has; the block's write is refused where there is none."""
        latest = self.latest(visit.key)
        if self.is_refused(visit):
            with pytest.raises(SessionRefused):
                yield latest or State()
        else:
            yield latest

    def set_values(self, visit, **data):
        """Save a change of the visit."""
        is_refused = self.is_refused(visit)
        with self.writing(visit) as latest:
            visit.store.update(data)
            visit.store.save()
        if not is_refused:
            self.commit(visit.key, latest.with_data(**data))
            assert self.shown(visit.store) == self.latest(visit.key)

    # Rules. ``number`` is that of a process, ``pick`` that of a session

    def picked(self, pick):
        """Return a key: mostly of one of the sessions, else one that led to one."""
        alive = [key for key in self.entries if self.latest(key) is not None]
        if pick < 8 and alive:
            self.touched = alive[-1 - pick % min(len(alive), SESSIONS)]
        else:
            self.touched = list(self.entries)[-1 - pick % len(self.entries)]
        return self.touched

    @contextmanager
    def losing(self, *, is_lost):
        """Put the cache back, after the block, to what it was before."""
        before = dict(self.cache.entries)
        yield
        if is_lost:
            self.note_purges()
            self.cache.entries = before
            self.believe_again()

    @initialize()
    def first_visitor(self):
        self.new_visitor(0)

    @rule(number=numbers)
    def new_visitor(self, number):
        with self.process(number):
            store = SessionStore()
            store["a"] = value = self.value(None)
            store.save()
            self.begin_session(store.session_key, State(None, {"a": value}))
        self.touched = store.session_key

    @rule(
        pick=picks,
        number=numbers,
        name=st.sampled_from("ab"),
        method=methods,
        is_lost=st.booleans(),
    )
    def change(self, pick, number, name, method, is_lost):
        key = self.picked(pick)
        with self.losing(is_lost=is_lost), self.visiting(number, key, method) as visit:
            if visit.shown is not None:
                self.set_values(visit, **{name: self.value(visit.shown.user)})

    @precondition(lambda self: len(self.open) < 3)
    @rule(
        pick=picks,
        number=numbers,
        method=methods,
        evicted=st.sampled_from(["copy", "copy", "tag", "neither"]),
    )
    def begin_slow_page(self, pick, number, method, evicted):
        self.cache.drop(evicted)
        with self.process(number):
            visit = self.load(number, self.picked(pick), method)
        if visit.shown is not None:
            self.open.append(visit)

    @precondition(lambda self: self.open)
    @rule(index=st.integers(0, 2), name=st.sampled_from(["", "", "b", "c"]))
    def end_slow_page(self, index, name):
        visit = self.open.pop(index % len(self.open))
        with self.process(visit.process):
            if name:
                self.set_values(visit, **{name: self.value(visit.shown.user)})
            visit.store.end_request()

    @rule(pick=picks, number=numbers, times=st.integers(1, 3))
    def guess(self, pick, number, times):
        key = self.picked(pick)
        for _ in range(times):
            with self.visiting(number, key, "POST") as visit:
                if visit.shown is None:
                    return
                attempts = visit.store.get("attempts", 0)
                if attempts < LIMIT:
                    self.set_values(visit, attempts=attempts + 1)
                    self.attempts[key] += 1
            assert self.attempts[key] <= LIMIT

    # Sign-ins and keys

    @rule(pick=picks, number=numbers, method=methods, name=names)
    def sign_in(self, pick, number, method, name):
        with self.visiting(number, self.picked(pick), method) as visit:
            self.log_in(visit, name)

    def log_in(self, visit, name):
        """Sign in as Django does: with a new key."""
        request = HttpRequest()
        request.session, shown = visit.store, visit.shown

        def log_in():
            login(request, self.users[name], backend=BACKEND)
            visit.store.save()

        if shown is None:
            log_in()
            self.begin_session(visit.store.session_key, State(name))
        elif shown.user not in {None, name}:
            log_in()
            self.commit(visit.key, None)
            self.begin_session(visit.store.session_key, State(name))
        elif self.is_refused(visit):
            with pytest.raises(SessionRefused):
                log_in()
        else:
            state = self.latest(visit.key).with_user(name)
            log_in()
            if "step" not in visit.store:
                state = state.without("step")
            self.move(visit.key, visit.store.session_key, state)

    @rule(
        pick=picks,
        number=numbers,
        method=methods,
        name=names,
        how=st.sampled_from(["step one", "step two", "by hand", "out by hand"]),
    )
    def sign_in_otherwise(self, pick, number, method, name, how):
        key = self.picked(pick)
        method = method if how == "by hand" else "POST"
        with self.visiting(number, key, method) as visit:
            if visit.shown is None:
                return
            is_signed_in = visit.shown.user is not None
            if how == "step one" and not is_signed_in:
                self.set_values(visit, step=name)
            elif how == "step two" and "step" in visit.store:
                self.log_in(visit, visit.store.pop("step"))
            elif how == "by hand" and not is_signed_in:
                self.sign_in_by_hand(visit, name)
            elif how == "out by hand" and is_signed_in:
                self.sign_out_by_hand(visit)

    def sign_in_by_hand(self, visit, name):
        is_refused = self.is_refused(visit)
        with self.writing(visit) as latest:
            set_user(visit.store, self.users[name])
            visit.store.save()
        if not is_refused:
            self.commit(visit.key, latest.with_user(name))

    def sign_out_by_hand(self, visit):
        """Delete the sign-in, and the user's own data with it."""
        own = [name for name in visit.shown.data if name in "abc"]
        for name in (*AUTH_KEYS, *own):
            del visit.store[name]
        visit.store.save()
        state = self.latest(visit.key).with_user(None)
        for name in own:
            state = state.without(name)
        self.commit(visit.key, state)

    @rule(pick=picks, number=numbers, method=methods)
    def cycle_key(self, pick, number, method):
        key = self.picked(pick)
        with self.visiting(number, key, method) as visit:
            if visit.shown is None:
                return
            is_refused = self.is_refused(visit)
            with self.writing(visit) as latest:
                visit.store.cycle_key()
                visit.store.save()
            if not is_refused:
                self.move(key, visit.store.session_key, latest)

    # Ends

    @rule(pick=picks, number=numbers, method=methods, is_saved=st.booleans())
    def end_in_a_page(self, pick, number, method, is_saved):
        key = self.picked(pick)
        with self.visiting(number, key, method) as visit:
            if not is_saved:
                request = HttpRequest()
                request.session = visit.store
                request.user = get_user(request)
                logout(request)
                self.commit(key, None)
            elif visit.shown is not None:
                visit.store.delete()
                self.commit(key, None)
                visit.store["late"] = 1
                with pytest.raises(SessionRefused):
                    visit.store.save()

    @rule(
        pick=picks,
        number=numbers,
        road=st.sampled_from(sorted(ROADS)),
        is_lost=st.booleans(),
    )
    def end(self, pick, number, road, is_lost):
        key = self.picked(pick)
        if self.latest(key) is not None:
            with self.losing(is_lost=is_lost), self.process(number):
                ROADS[road](key, Session.objects.for_key(key))
                self.commit(key, None, is_purged=road not in UNKNOWN_ROADS)

    @rule(
        number=numbers, name=st.sampled_from([*NAMES, None]), is_revoked=st.booleans()
    )
    def end_many(self, number, name, is_revoked):
        """End all of a user, or all of everybody, or none but what has expired."""
        with self.process(number):
            if name is not None:
                rows = self.users[name].session_set.all()
                if is_revoked:
                    assert not rows.revoke().cache_failed
                else:
                    rows.delete()
            elif is_revoked:
                call_command("revoke_sessions", all=True, stdout=StringIO())
            else:
                SessionStore.clear_expired()
            for key in self.entries:
                state = self.latest(key)
                if state is not None and (
                    is_revoked if name is None else state.user == name
                ):
                    self.commit(key, None)

    # Time and the cache

    @rule(seconds=st.sampled_from([1, 6, 30, 59, 61, -20, -61]))
    def let_time_pass(self, seconds):
        """Move the clocks on; backwards only the one that tells the time of day."""
        self.monotonic += max(0, seconds)
        self.note_time()
        self.wall += seconds
        self.note_time()

    def note_time(self):
        for *_, latest in self.entries.values():
            latest.last_time = max(latest.last_time, self.wall)

    @rule(fault=st.sampled_from([None, None, *FAULTS]), has_paused=st.booleans())
    def begin_or_end_a_fault(self, fault, has_paused):
        self.cache.begin(fault)
        if fault not in {None, "gone", "full"}:
            # What seems to be told isn't.
            self.believe_again()
        if has_paused:
            self.let_time_pass(6)

    @rule(what=st.sampled_from(["take", "restore", "restore"]))
    def take_or_restore_snapshot(self, what):
        if what == "restore":
            self.cache.restore()
            self.believe_again()
        elif self.cache.fault != "cut off":
            self.cache.take_snapshot()

    @rule(for_sign_in=st.sampled_from([None, False, False, True]))
    def mix_key_classes(self, for_sign_in):
        """Make keys of one class for all, as a site's own engine may."""
        new_key = keys.new_key
        if for_sign_in is not None:

            def new_key(**_):
                return keys.new_key(for_sign_in=for_sign_in)

        self.patch.setattr(db, "new_key", new_key)

    # What holds after each step

    @invariant()
    def promises_hold(self):
        self.note_purges()
        self.check_table()
        self.check_owners()
        self.look()

    def look(self):
        """Ask for a session in all ways in which a request can."""
        self.step += 1
        key = self.touched
        for number in (self.step % 2, 1 - self.step % 2):
            with self.visiting(number, key, "GET", by_user=bool(self.step % 3)):
                pass
            with self.visiting(number, key, "POST"):
                pass
        with self.process(0):
            assert self.shown(SessionStore(key)) == self.latest(key)
            with transaction.atomic():
                self.load(0, key, is_believed=False)
        self.note_purges()

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


def test_no_order_of_requests_ends_and_faults_breaks_a_promise(caplog):
    caplog.set_level(logging.CRITICAL)
    run_state_machine_as_test(
        Sessions,
        settings=rules(
            max_examples=EXAMPLES,
            stateful_step_count=30,
            derandomize="MODEL_EXAMPLES" not in os.environ,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
