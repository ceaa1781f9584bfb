"""Ended sessions that must not come back from the cache.

Each test makes the writer of the cache wait at the worst moment: between its step in
the database and its step in the cache.
"""

import contextlib

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.db import transaction

from tests.races.racers import barrier, racing
from wagtail_user_sessions.backends.cached_db import SessionStore
from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.models import Session

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.processes,
    pytest.mark.usefixtures("redis_cache"),
]

ROUNDS = 1000


def new_key():
    session = SessionStore()
    session["alive"] = True
    session.save()
    return session.session_key


def is_alive(session_key):
    return SessionStore(session_key).get("alive", False)


def load(session_key):
    return is_alive(session_key)


def end(session_key):
    SessionStore().delete(session_key)


def count_zombies(racer_functions, play):
    with racing(*racer_functions) as racers:
        return sum(bool(play(*racers)) for _ in range(ROUNDS))


@pytest.fixture
def worst_moments(monkeypatch):
    """Makes a racer wait before an operation of the cache, until the test goes on."""
    reached, go_on = barrier(), barrier()
    real = copies._try

    def wait_before(operation_awaited):

        def slow(operation, *args, **kwargs):
            if operation == operation_awaited:
                reached.wait()
                go_on.wait()
            return real(operation, *args, **kwargs)

        monkeypatch.setattr(copies, "_try", slow)

    return wait_before, reached, go_on


@pytest.mark.parametrize("has_old_copy", [False, True])
def test_a_copy_of_a_row_read_before_its_deletion_is_not_believed(
    worst_moments, has_old_copy
):
    wait_before, reached, go_on = worst_moments

    def slow_load(session_key):
        wait_before("set" if has_old_copy else "add")
        return load(session_key)

    def play(reader, ender):
        key = new_key()
        load(new_key())  # Makes an epoch.
        if has_old_copy:
            load(key)
            copies.purge_all()
        reader.start(key)
        reached.wait()
        ender.run(key)
        go_on.wait()
        assert reader.finish(), "the reader read the row before it ended"
        return is_alive(key)

    assert count_zombies((slow_load, end), play) == 0


def test_a_save_that_notifies_the_cache_after_the_deletion_revives_no_session(
    worst_moments,
):
    wait_before, reached, go_on = worst_moments

    def slow_save(session_key):
        session = SessionStore(session_key)
        session["more"] = 1
        wait_before("set")
        session.save()

    def play(saver, ender):
        key = new_key()
        load(key)
        saver.start(key)
        reached.wait()
        ender.run(key)
        go_on.wait()
        saver.finish()
        return is_alive(key)

    assert count_zombies((slow_save, end), play) == 0


def test_a_load_during_a_long_transaction_that_ends_the_session_leaves_no_copy():
    deleted, loaded = barrier(), barrier()

    def end_slowly(session_key):
        with transaction.atomic():
            end(session_key)
            deleted.wait()
            loaded.wait()

    def play(ender, reader):
        key = new_key()
        load(key)
        ender.start(key)
        deleted.wait()
        assert reader.run(key), "the end has not been committed"
        loaded.wait()
        ender.finish()
        return is_alive(key)

    assert count_zombies((end_slowly, load), play) == 0


def test_a_cycled_key_is_refused_at_once(worst_moments):
    wait_before, reached, go_on = worst_moments

    def slow_load(session_key):
        wait_before("add")
        return load(session_key)

    def cycle(session_key):
        session = SessionStore(session_key)
        session.cycle_key()
        return session.session_key

    def play(reader, cycler):
        key = new_key()
        load(new_key())
        reader.start(key)
        reached.wait()
        fresh_key = cycler.run(key)
        go_on.wait()
        assert reader.finish(), "the reader read the row under its old key"
        assert is_alive(fresh_key)
        return is_alive(key)

    assert count_zombies((slow_load, cycle), play) == 0


def test_loads_saves_and_an_end_in_any_order_leave_no_zombie():
    together = barrier(3)

    def save(session_key):
        session = SessionStore(session_key)
        session["more"] = 1
        together.wait()
        with contextlib.suppress(UpdateError):
            session.save()

    def load_often(session_key):
        together.wait()
        for _ in range(5):
            load(session_key)

    def end_now(session_key):
        together.wait()
        end(session_key)

    def play(saver, reader, ender):
        key = new_key()
        load(key)
        for racer in (saver, reader, ender):
            racer.start(key)
        for racer in (saver, reader, ender):
            racer.finish()
        return is_alive(key)

    assert count_zombies((save, load_often, end_now), play) == 0


def test_a_revocation_beside_a_renewal_leaves_no_copy_under_the_new_key():
    together = barrier()

    def renew(session_key):
        session = SessionStore(session_key)
        session.get("alive")
        together.wait()
        session.cycle_key()
        load(session.session_key)
        return session.session_key

    def revoke(session_key):
        rows = Session.objects.for_key(session_key)
        pk = rows.get().pk
        together.wait()
        return Session.objects.filter(pk=pk).revoke()

    def play(renewer, revoker):
        key = new_key()
        load(key)
        renewer.start(key)
        revoker.start(key)
        assert revoker.finish() == 1
        return is_alive(renewer.finish()) and Session.objects.count() == 0

    assert count_zombies((renew, revoke), play) == 0
