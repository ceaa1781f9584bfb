"""Ended sessions that must not come back, and changes that must not be undone.

A user's ended session is never admitted, whatever the cache has. A visitor's copy is
not believed once the change or the end of its row has been purged. The tests make a
process wait at the worst moment: between its step in the database and its step in the
cache.
"""

import contextlib

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.db import transaction

from tests.cache.visits import Visit, visit
from tests.conftest import set_user
from tests.races.racers import barrier, racing
from wagtail_user_sessions.backends import db, keys
from wagtail_user_sessions.backends.cached_db import SessionStore
from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.models import Session

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.processes,
    pytest.mark.parametrize("engine", ["cached_db"], indirect=True),
    pytest.mark.usefixtures("redis_cache", "engine"),
]

ROUNDS = 1000


@pytest.fixture(params=["visitor", "user"])
def new_key(request, alice, monkeypatch):
    """Returns a function that makes a session and returns its key.

    The key is of the class of visitors': others make no cache call to race with.
    """
    monkeypatch.setattr(db, "new_key", lambda **_: keys.new_key(for_sign_in=False))

    def make():
        session = SessionStore()
        session["value"] = 1
        if request.param != "visitor":
            set_user(session, alice)
        session.save()
        return session.session_key

    return make


only_visitors = pytest.mark.parametrize("new_key", ["visitor"], indirect=True)


def is_alive(session_key):
    """Return whether the next page of the browser has the session, whatever it does."""
    return any(visit(session_key, method) is not None for method in ("GET", "POST"))


def is_signed_in(session_key):
    for method in ("GET", "POST"):
        with Visit(session_key, method) as store:
            if SESSION_KEY in store:
                return True
    return False


def change(session_key):
    with Visit(session_key, "POST") as store:
        store["value"] = 2
        store.save()


def end(session_key):
    SessionStore().delete(session_key)


def cycle(session_key):
    with Visit(session_key, "POST") as store:
        store.cycle_key()
    return store.session_key


def sum_up(racer_functions, play):
    """Return in how many rounds the play has failed."""
    with racing(*racer_functions) as racers:
        return sum(bool(play(*racers)) for _ in range(ROUNDS))


class WorstMoment:
    """Makes a racer wait in front of its next step in the cache.

    Those are "add" and "set" of a reader, which has read the row, and "purge" of a
    writer, which has committed.
    """

    def __init__(self, monkeypatch):
        self.monkeypatch = monkeypatch
        self.reached, self.go_on = barrier(), barrier()
        self.real_call, self.real_purge = copies._call, copies._purge

    def wait_before(self, step, function):
        """Return the function for a racer."""

        def call(operation, *args, **kwargs):
            if operation == step:
                self.wait()
            return self.real_call(operation, *args, **kwargs)

        def purge(names):
            if step == "purge":
                self.wait()
            return self.real_purge(names)

        def slow(*arguments):
            self.monkeypatch.setattr(copies, "_call", call)
            self.monkeypatch.setattr(copies, "_purge", purge)
            return function(*arguments)

        return slow

    def wait(self):
        self.reached.wait()
        self.go_on.wait()


@pytest.fixture
def moment(monkeypatch):
    return WorstMoment(monkeypatch)


@only_visitors
@pytest.mark.parametrize("step", ["add", "set"])
@pytest.mark.parametrize(("act", "value"), [(end, None), (change, 2)])
def test_a_copy_read_before_a_write_and_offered_after_it_is_not_believed(
    new_key, moment, step, act, value
):
    def play(reader, writer):
        key = new_key()
        if step == "set":
            visit(key)  # Adds the tag.
        reader.start(key)
        moment.reached.wait()
        writer.run(key)
        moment.go_on.wait()
        assert reader.finish() == 1, "the reader read the row before it was written"
        return {visit(key), visit(key), visit(key, "POST")} != {value}

    assert sum_up((moment.wait_before(step, visit), act), play) == 0


@only_visitors
@pytest.mark.parametrize(("act", "value"), [(end, None), (change, 2)])
def test_a_copy_read_before_a_write_is_believed_until_its_late_purge_and_no_longer(
    new_key, monkeypatch, act, value
):
    reading, purging = WorstMoment(monkeypatch), WorstMoment(monkeypatch)

    def play(reader, writer):
        key = new_key()
        visit(key)  # Adds the tag.
        reader.start(key)
        reading.reached.wait()
        writer.start(key)
        purging.reached.wait()
        # Between the commit and the purge, the reader offers what it read before.
        reading.go_on.wait()
        assert reader.finish() == 1
        assert visit(key) == 1, "the copy is one that the purge has to disown"
        assert visit(key, "POST") == value
        purging.go_on.wait()
        writer.finish()
        return {visit(key), visit(key), visit(key, "POST")} != {value}

    racers = reading.wait_before("set", visit), purging.wait_before("purge", act)
    assert sum_up(racers, play) == 0


@only_visitors
def test_a_change_that_purges_after_the_end_revives_no_session(new_key, moment):
    def play(changer, ender):
        key = new_key()
        visit(key)
        visit(key)
        changer.start(key)
        moment.reached.wait()
        ender.run(key)
        moment.go_on.wait()
        changer.finish()
        return is_alive(key)

    assert sum_up((moment.wait_before("purge", change), end), play) == 0


@only_visitors
def test_a_user_who_has_signed_in_by_hand_and_ended_is_refused_before_any_purge(
    new_key, moment, alice
):
    def sign_in(session_key):
        with Visit(session_key, "POST") as store:
            set_user(store, alice)
            store.save()

    def play(signer, ender):
        key = new_key()
        visit(key)
        visit(key)
        signer.start(key)
        moment.reached.wait()
        # A copy of the visitor's row may still answer: nobody is signed in by it.
        assert visit(key) == 1
        ender.run(key)
        is_zombie = is_signed_in(key)
        moment.go_on.wait()
        signer.finish()
        return is_zombie or is_signed_in(key)

    assert sum_up((moment.wait_before("purge", sign_in), end), play) == 0


def test_a_save_that_was_loaded_before_the_end_revives_no_session(new_key):
    loaded, ended = barrier(), barrier()

    def save_late(session_key):
        with Visit(session_key, "POST") as store:
            store.get("value")
            loaded.wait()
            ended.wait()
            store["value"] = 2
            with pytest.raises(UpdateError):
                store.save()

    def play(saver, ender):
        key = new_key()
        visit(key)
        saver.start(key)
        loaded.wait()
        ender.run(key)
        ended.wait()
        saver.finish()
        return is_alive(key)

    assert sum_up((save_late, end), play) == 0


def test_a_load_during_a_long_transaction_that_ends_the_session_leaves_no_copy(new_key):
    deleted, loaded = barrier(), barrier()

    def end_slowly(session_key):
        with transaction.atomic():
            end(session_key)
            deleted.wait()
            loaded.wait()

    def play(ender, reader):
        key = new_key()
        visit(key)
        ender.start(key)
        deleted.wait()
        assert reader.run(key) == 1, "the end has not been committed"
        loaded.wait()
        ender.finish()
        return is_alive(key)

    assert sum_up((end_slowly, visit), play) == 0


def test_a_cycled_key_is_refused_at_once(new_key):
    read, cycled = barrier(), barrier()

    def slow_visit(session_key):
        with Visit(session_key) as store:
            store.get("value")
            read.wait()
            cycled.wait()

    def play(reader, cycler):
        key = new_key()
        visit(key)
        reader.start(key)
        read.wait()
        fresh_key = cycler.run(key)
        cycled.wait()
        reader.finish()
        assert is_alive(fresh_key)
        return is_alive(key)

    assert sum_up((slow_visit, cycle), play) == 0


def test_loads_saves_and_an_end_in_any_order_leave_no_zombie(new_key):
    together = barrier(3)

    def save(session_key):
        with Visit(session_key, "POST") as store:
            store["more"] = 1
            together.wait()
            with contextlib.suppress(UpdateError):
                store.save()

    def visit_often(session_key):
        together.wait()
        for _ in range(5):
            visit(session_key)

    def end_now(session_key):
        together.wait()
        end(session_key)

    def play(*racers):
        key = new_key()
        visit(key)
        for racer in racers:
            racer.start(key)
        for racer in racers:
            racer.finish()
        return is_alive(key)

    assert sum_up((save, visit_often, end_now), play) == 0


def test_a_revocation_beside_a_renewal_leaves_no_session_under_the_new_key(new_key):
    together = barrier()

    def renew(session_key):
        with Visit(session_key, "POST") as store:
            store.get("value")
            together.wait()
            # A visitor's may make a new row, if the old one has just ended.
            with contextlib.suppress(UpdateError):
                store.cycle_key()
        for _ in range(2):
            visit(store.session_key)
        return store.session_key

    def revoke(session_key):
        pk = Session.objects.for_key(session_key).get().pk
        together.wait()
        return Session.objects.filter(pk=pk).revoke()

    def play(renewer, revoker):
        key = new_key()
        visit(key)
        renewer.start(key)
        revoker.start(key)
        assert revoker.finish() == 1
        fresh_key = renewer.finish()
        is_zombie = is_alive(fresh_key) and not Session.objects.exists()
        is_zombie |= is_signed_in(fresh_key)
        Session.objects.all().delete()
        return is_zombie

    assert sum_up((renew, revoke), play) == 0
