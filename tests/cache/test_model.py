"""Pages, changes, sign-ins, ends and faults of the cache in any order, on a model.

MODEL_EXAMPLES sets how many orders are tried, which are then others in each run.
"""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth import get_user, login, logout
from django.core.management import call_command
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as rules
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.cache.faulty_cache import FAULTS
from tests.cache.model import NAMES, Model, State
from tests.conftest import set_user
from wagtail_user_sessions.backends import db, keys
from wagtail_user_sessions.backends.cached_db import SessionStore
from wagtail_user_sessions.backends.merge import AUTH_KEYS
from wagtail_user_sessions.exceptions import SessionRefused
from wagtail_user_sessions.models import Session

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("engine", ["cached_db"], indirect=True),
    pytest.mark.usefixtures("engine"),
]

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "100"))
BACKEND = "django.contrib.auth.backends.ModelBackend"
LIMIT = 3
# How many of the sessions most steps are about.
SESSIONS = 2

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


class Machine(Model):
    """The rules: ``number`` is that of a process, ``pick`` that of a session."""

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
        with self.losing(is_lost=is_lost), self.visiting(number, key, method) as page:
            if page.shown is not None:
                self.set_values(page, **{name: self.value(page.shown.user)})

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
            page = self.load(number, self.picked(pick), method)
        if page.shown is not None:
            self.open.append(page)

    @precondition(lambda self: self.open)
    @rule(index=st.integers(0, 2), name=st.sampled_from(["", "", "b", "c"]))
    def end_slow_page(self, index, name):
        page = self.open.pop(index % len(self.open))
        with self.process(page.process):
            if name:
                self.set_values(page, **{name: self.value(page.shown.user)})
            page.store.end_request()

    @rule(pick=picks, number=numbers, times=st.integers(1, 3))
    def guess(self, pick, number, times):
        key = self.picked(pick)
        for _ in range(times):
            with self.visiting(number, key, "POST") as page:
                if page.shown is None:
                    return
                attempts = page.store.get("attempts", 0)
                if attempts < LIMIT:
                    self.set_values(page, attempts=attempts + 1)
                    self.attempts[key] += 1
            assert self.attempts[key] <= LIMIT

    # Sign-ins and keys

    @rule(pick=picks, number=numbers, method=methods, name=names)
    def sign_in(self, pick, number, method, name):
        with self.visiting(number, self.picked(pick), method) as page:
            self.log_in(page, name)

    def log_in(self, page, name):
        """Sign in as Django does: with a new key."""
        request = HttpRequest()
        request.session, shown = page.store, page.shown

        def log_in():
            login(request, self.users[name], backend=BACKEND)
            page.store.save()

        if shown is None:
            log_in()
            self.begin_session(page.store.session_key, State(name))
        elif shown.user not in {None, name}:
            log_in()
            self.commit(page.key, None)
            self.begin_session(page.store.session_key, State(name))
        elif self.is_refused(page):
            with pytest.raises(SessionRefused):
                log_in()
        else:
            state = self.latest(page.key).with_user(name)
            log_in()
            if "step" not in page.store:
                state = state.without("step")
            self.move(page.key, page.store.session_key, state)

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
        with self.visiting(number, key, method) as page:
            if page.shown is None:
                return
            is_signed_in = page.shown.user is not None
            if how == "step one" and not is_signed_in:
                self.set_values(page, step=name)
            elif how == "step two" and "step" in page.store:
                self.log_in(page, page.store.pop("step"))
            elif how == "by hand" and not is_signed_in:
                self.sign_in_by_hand(page, name)
            elif how == "out by hand" and is_signed_in:
                self.sign_out_by_hand(page)

    def sign_in_by_hand(self, page, name):
        is_refused = self.is_refused(page)
        with self.writing(page) as latest:
            set_user(page.store, self.users[name])
            page.store.save()
        if not is_refused:
            self.commit(page.key, latest.with_user(name))

    def sign_out_by_hand(self, page):
        """Delete the sign-in, and the user's own data with it."""
        own = [name for name in page.shown.data if name in "abc"]
        for name in (*AUTH_KEYS, *own):
            del page.store[name]
        page.store.save()
        state = self.latest(page.key).with_user(None)
        for name in own:
            state = state.without(name)
        self.commit(page.key, state)

    @rule(pick=picks, number=numbers, method=methods)
    def cycle_key(self, pick, number, method):
        key = self.picked(pick)
        with self.visiting(number, key, method) as page:
            if page.shown is None:
                return
            is_refused = self.is_refused(page)
            with self.writing(page) as latest:
                page.store.cycle_key()
                page.store.save()
            if not is_refused:
                self.move(key, page.store.session_key, latest)

    # Ends

    @rule(pick=picks, number=numbers, method=methods, is_saved=st.booleans())
    def end_in_a_page(self, pick, number, method, is_saved):
        key = self.picked(pick)
        with self.visiting(number, key, method) as page:
            if not is_saved:
                request = HttpRequest()
                request.session = page.store
                request.user = get_user(request)
                logout(request)
                self.commit(key, None)
            elif page.shown is not None:
                page.store.delete()
                self.commit(key, None)
                page.store["late"] = 1
                with pytest.raises(SessionRefused):
                    page.store.save()

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


def test_no_order_of_requests_ends_and_faults_breaks_a_promise(caplog):
    caplog.set_level(logging.CRITICAL)
    run_state_machine_as_test(
        Machine,
        settings=rules(
            max_examples=EXAMPLES,
            stateful_step_count=30,
            derandomize="MODEL_EXAMPLES" not in os.environ,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
