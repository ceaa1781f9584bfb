"""Copies in the cache: each row of the table in docs/caching.md."""

import asyncio
import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import cache, caches
from django.core.cache.backends.base import InvalidCacheBackendError
from django.db import connection, transaction
from django.utils import timezone

from tests.conftest import sign_in
from wagtail_user_sessions.backends.cached_db import SessionStore
from wagtail_user_sessions.backends.db import SessionStore as DBStore
from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.models import Session
from wagtail_user_sessions.sessions import end_events
from wagtail_user_sessions.sql import compiled_queries

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("engine", ["cached_db"], indirect=True),
    pytest.mark.usefixtures("engine"),
]


class Recorder:
    """The calls that the cache gets, in order."""

    NAMES = ("get_many", "get", "add", "set", "delete")

    def __init__(self, monkeypatch):
        self.calls = []
        target = caches["default"]
        for name in self.NAMES:
            monkeypatch.setattr(target, name, self.record(name, getattr(target, name)))

    def record(self, name, function):
        depth = self.calls

        def recorded(keys, *args, **kwargs):
            text = " ".join(keys) if name == "get_many" else str(keys)
            kinds = [k for k in ("copy", "mark", "epoch", "claim") if f".{k}" in text]
            value = " ended" if name == "set" and args[:1] == (copies.ENDED,) else ""
            # Calls that the cache itself makes are not counted.
            before = len(depth)
            result = function(keys, *args, **kwargs)
            del depth[before:]
            depth.append(f"{name} {'+'.join(kinds)}{value}")
            return result

        return recorded


@pytest.fixture
def calls(session, monkeypatch):
    recorder = Recorder(monkeypatch)
    return recorder.calls


@pytest.fixture
def session(engine):
    copies.purge_all()
    session = SessionStore()
    session["value"] = 1
    session.save()
    return session


def load(session):
    return SessionStore(session.session_key).get("value")


def copy_of(session):
    return cache.get(copies._copy_key(session._row.key_hash))


def mark_of(session):
    return cache.get(copies._mark_key(session._row.key_hash))


# Loads


def test_a_load_without_a_copy_reads_the_row_and_adds_one(session, calls, statements):
    with statements() as made:
        assert load(session) == 1
    assert calls == ["get_many copy+mark+epoch", "add copy"]
    assert made.verbs == ["SELECT"]


def test_a_load_with_a_copy_is_one_get_many_and_no_query(session, calls, statements):
    load(session)
    calls.clear()
    with statements() as made:
        assert load(session) == 1
    assert calls == ["get_many copy+mark+epoch"]
    assert made.all == []


def test_a_copy_that_is_not_believed_is_set_anew(session, calls, statements):
    load(session)
    copies.purge_all()
    calls.clear()
    with statements() as made:
        assert load(session) == 1
    assert calls == ["get_many copy+mark+epoch", "set copy"]
    assert made.verbs == ["SELECT"]


def test_a_page_adds_a_copy_once_it_is_made(browser, alice, calls):
    client = browser(alice)
    calls.clear()
    assert client.get("/whoami/").content == b"alice"
    assert calls == ["get_many copy+mark+epoch", "add copy"]
    calls.clear()
    assert client.get("/whoami/").content == b"alice"
    assert calls == ["get_many copy+mark+epoch"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/change/", ["set mark"]),
        ("/logout/", ["set mark ended", "delete copy"]),
    ],
)
def test_a_page_keeps_no_copy_of_what_it_has_changed(
    browser, alice, calls, path, expected
):
    client = browser(alice)
    calls.clear()
    client.get(path)
    assert calls == ["get_many copy+mark+epoch", *expected]


def test_a_page_that_saves_what_is_unchanged_keeps_a_copy(
    browser, alice, calls, settings
):
    settings.SESSION_SAVE_EVERY_REQUEST = True
    client = browser(alice)
    calls.clear()
    client.get("/whoami/")
    assert calls == ["get_many copy+mark+epoch", "add copy"]


def in_a_request(session):
    store = SessionStore(session.session_key)
    store.begin_request()
    return store


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda again: again.cycle_key(), id="renewed"),
        pytest.param(lambda again: DELETIONS["query set"](again), id="query set"),
        pytest.param(lambda again: DELETIONS["revoke"](again), id="revoke"),
        pytest.param(lambda again: copies.purge_all(), id="all disowned"),
    ],
)
def test_no_copy_is_kept_of_what_the_request_has_changed(session, calls, change):
    again = in_a_request(session)
    assert again["value"] == 1
    change(again)
    again.end_request()
    assert "add copy" not in calls


def test_a_copy_is_kept_if_the_request_has_deleted_another_row(session, calls):
    another = SessionStore()
    another.create()
    again = in_a_request(session)
    assert again["value"] == 1
    another.flush()
    again.end_request()
    assert calls[-1] == "add copy"


def test_a_row_that_a_thread_without_the_context_has_read_is_copied(session, calls):
    another = SessionStore()
    another.create()
    again = in_a_request(session)
    with ThreadPoolExecutor(1) as pool:

        def read():
            try:
                return again["value"]
            finally:
                connection.close()

        assert pool.submit(read).result() == 1
    again.end_request()
    assert calls[-1] == "add copy"


def test_no_copy_is_kept_if_a_task_has_ended_the_session(session, calls):
    again = in_a_request(session)
    assert again["value"] == 1

    async def end():
        await asyncio.gather(again.aflush())

    async_to_sync(end)()
    again.end_request()
    assert "add copy" not in calls


def test_no_copy_is_kept_if_the_change_has_not_committed(session, calls):
    again = in_a_request(session)
    assert again["value"] == 1
    with transaction.atomic():
        again["value"] = 2
        again.save()
        again.end_request()
    assert "add copy" not in calls


def test_a_row_that_is_read_after_the_response_is_copied_at_once(session, calls):
    again = in_a_request(session)
    again.end_request()
    assert again["value"] == 1
    assert calls == ["get_many copy+mark+epoch", "add copy"]


def test_columns_in_another_order_are_not_believed(session):
    load(session)
    copy = copy_of(session)
    copy["row"] = dict(reversed(copy["row"].items()))
    cache.set(copies._copy_key(session._row.key_hash), copy)
    assert load(session) == 1
    assert list(copy_of(session)["row"]) == [*reversed(copy["row"])]


def test_under_an_ended_mark_no_copy_is_kept(session, calls):
    copies.purge_ended([session._row.key_hash])
    calls.clear()
    assert load(session) == 1
    assert calls == ["get_many copy+mark+epoch"]


def test_without_an_epoch_one_is_added_and_no_copy(session, calls):
    cache.delete(copies.EPOCH)
    calls.clear()
    assert load(session) == 1
    assert calls == ["get_many copy+mark+epoch", "add epoch"]
    assert load(session) == 1
    assert calls[-1] == "add copy"


def test_an_epoch_has_no_expiry_and_a_mark_outlives_every_copy(session, monkeypatch):
    timeouts = {}
    real = copies._try

    def spy(operation, keys, *args, **kwargs):
        key = keys if isinstance(keys, str) else next(iter(keys))
        timeouts[key.split(".")[1]] = kwargs.get("timeout", "none given")
        return real(operation, keys, *args, **kwargs)

    monkeypatch.setattr(copies, "_try", spy)
    copies.purge_all()
    copies.purge_changed(session._row.key_hash)
    load(session)
    assert timeouts["epoch"] is None
    assert timeouts["mark"] == 360
    assert timeouts["copy"] <= 300
    copies.mark_many_ended()
    assert timeouts["epoch"] == 360


@pytest.mark.parametrize(
    ("change", "is_believed"),
    [
        ({}, True),
        ({"mark": "another"}, False),
        ({"epoch": "another"}, False),
        ({"read_at": lambda: time.time() - 299}, True),
        ({"read_at": lambda: time.time() - 301}, False),
        ({"read_at": lambda: time.time() + 55}, True),
        ({"read_at": lambda: time.time() + 65}, False),
        ({"read_at": None}, False),
        ({"row": {}}, False),
        ({"row": None}, False),
    ],
)
def test_a_copy_is_believed_only_if_mark_epoch_age_and_columns_fit(
    session, statements, change, is_believed
):
    load(session)
    changed = {
        name: value() if callable(value) else value for name, value in change.items()
    }
    cache.set(copies._copy_key(session._row.key_hash), {**copy_of(session), **changed})
    with statements() as made:
        assert load(session) == 1
    assert (made.all == []) is is_believed


@pytest.mark.parametrize("rubbish", ["text", 7, [], {"row": 1}, b"\x00"])
def test_rubbish_in_the_place_of_a_copy_costs_a_query_and_nothing_else(
    session, rubbish, statements
):
    load(session)
    cache.set(copies._copy_key(session._row.key_hash), rubbish)
    with statements() as made:
        assert load(session) == 1
    assert made.verbs == ["SELECT"]


def test_a_copy_of_another_release_with_other_columns_is_not_believed(session):
    load(session)
    copy = copy_of(session)
    del copy["row"]["city"]
    cache.set(copies._copy_key(session._row.key_hash), copy)
    assert load(session) == 1
    assert "city" in copy_of(session)["row"]


def test_a_copy_is_not_believed_after_the_expiry_of_its_session(session):
    load(session)
    copy = copy_of(session)
    copy["row"]["expire_date"] = timezone.now() - timedelta(seconds=1)
    cache.set(copies._copy_key(session._row.key_hash), copy)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert load(session) is None


def test_with_a_max_age_of_0_no_copies_are_kept(session, calls, settings):
    settings.WAGTAIL_USER_SESSIONS_CACHE_MAX_AGE = 0
    calls.clear()
    assert load(session) == 1
    session["value"] = 2
    session.save()
    session.flush()
    assert calls == []


def test_the_time_of_a_copy_is_taken_before_the_row_is_read(session, monkeypatch):
    sent_at = []
    reader = SessionStore(session.session_key)

    def read(store):
        sent_at.append(time.time())
        return Session.objects.for_key(store.session_key).get()

    monkeypatch.setattr(DBStore, "_fetch", read)
    reader.keys()
    assert copy_of(session)["read_at"] <= sent_at[0]


def test_key_and_user_are_in_no_copy(engine, alice):
    copies.purge_all()
    session = sign_in(SessionStore, alice)
    SessionStore(session.session_key).keys()
    entries = pickle.dumps([copies._copy_key(session._row.key_hash), copy_of(session)])
    assert copy_of(session)["row"]["user_id"] == alice.pk
    assert session.session_key.encode() not in entries
    assert alice.password.encode() not in entries


# Transactions


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite reads snapshots")
def test_a_transaction_that_wrote_no_session_uses_copies(session, calls):
    load(session)
    calls.clear()
    with transaction.atomic():
        assert load(session) == 1
    assert calls == ["get_many copy+mark+epoch"]


def test_a_transaction_that_wrote_sessions_neither_believes_nor_keeps_copies(
    session, calls
):
    load(session)
    with transaction.atomic():
        session["value"] = 2
        session.save()
        calls.clear()
        assert load(session) == 2
        assert calls == []
        transaction.set_rollback(True)
    assert load(session) == 1


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_a_transaction_that_reads_a_snapshot_leaves_the_cache_alone(
    session, calls, level, monkeypatch
):
    name = level.replace(" ", "_").upper()
    value = type("Level", (), {"name": name})
    monkeypatch.setattr(
        connection,
        "isolation_level",
        value if connection.vendor == "postgresql" else level,
        raising=False,
    )
    calls.clear()
    with transaction.atomic():
        assert load(session) == 1
    assert calls == []


def test_with_autocommit_off_the_cache_is_left_alone(session, calls):
    transaction.set_autocommit(False)
    try:
        calls.clear()
        assert load(session) == 1
        assert calls == []
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)


# Writes


def test_a_save_makes_a_new_mark(session, calls):
    load(session)
    before = mark_of(session)
    session["value"] = 2
    calls.clear()
    session.save()
    assert calls == ["set mark"]
    assert mark_of(session) not in {before, copies.ENDED, None}
    assert load(session) == 2


def test_a_save_in_a_transaction_makes_a_new_mark_when_it_commits(session, calls):
    load(session)
    with transaction.atomic():
        session["value"] = 2
        calls.clear()
        session.save()
        assert calls == []
    assert calls == ["set mark"]


def test_a_save_that_is_rolled_back_leaves_the_cache_alone(session, calls):
    load(session)
    calls.clear()
    with transaction.atomic():
        session["value"] = 2
        session.save()
        transaction.set_rollback(True)
    assert calls == []
    assert load(session) == 1


def test_unchanged_data_leaves_the_cache_alone(session, calls):
    load(session)
    calls.clear()
    session.save()
    assert calls == []


DELETIONS = {
    "flush": lambda session: session.flush(),
    "delete": lambda session: SessionStore().delete(session.session_key),
    "query set": lambda session: Session.objects.all().delete(),
    "instance": lambda session: Session.objects.get().delete(),
    "revoke": lambda session: Session.objects.all().revoke(),
    "revoke of an instance": lambda session: Session.objects.get().revoke(),
}


@pytest.mark.parametrize("way", DELETIONS)
def test_an_end_marks_the_session_as_ended_at_once_and_again_on_commit(
    session, calls, way
):
    load(session)
    calls.clear()
    with transaction.atomic():
        DELETIONS[way](session)
        assert calls[-1] == "set mark ended"
        calls.clear()
    assert calls == ["set mark ended", "delete copy"]


@pytest.mark.parametrize("way", ["flush", "delete"])
def test_a_deletion_without_a_transaction_sets_one_ended_mark(session, calls, way):
    load(session)
    calls.clear()
    DELETIONS[way](session)
    assert calls[-2:] == ["set mark ended", "delete copy"]
    assert calls.count("set mark ended") == 1


@pytest.mark.parametrize("way", ["query set", "instance", "revoke"])
def test_a_deletion_marks_the_session_as_ended_before_it_commits(
    session, monkeypatch, way
):
    """Else a process that dies right after the commit would leave a copy."""
    is_in_transaction = []
    real = copies.mark_ended

    def mark_ended(key_hashes):
        is_in_transaction.append(connection.in_atomic_block)
        return real(key_hashes)

    monkeypatch.setattr(copies, "mark_ended", mark_ended)
    DELETIONS[way](session)
    assert is_in_transaction == [True, False]


@pytest.mark.parametrize("way", DELETIONS)
def test_an_end_that_is_rolled_back_signs_nobody_out(session, way):
    load(session)
    key = session.session_key
    with transaction.atomic():
        DELETIONS[way](session)
        transaction.set_rollback(True)
    assert SessionStore(key).get("value") == 1


def test_a_user_who_is_deleted_takes_the_copies_along(engine, alice):
    copies.purge_all()
    session = sign_in(SessionStore, alice, value=1)
    load(session)
    alice.delete()
    assert load(session) is None


def test_a_new_key_ends_the_old_one_before_the_update_and_again_on_commit(
    session, calls, monkeypatch
):
    load(session)
    calls.clear()
    with transaction.atomic():
        real = compiled_queries.update
        monkeypatch.setattr(
            compiled_queries,
            "update",
            lambda *a, **kw: calls.append("row") or real(*a, **kw),
        )
        session.cycle_key()
        assert calls == ["set mark ended", "delete copy", "row"]
        calls.clear()
    assert calls == ["set mark ended", "delete copy"]


@pytest.fixture
def operations(monkeypatch):
    """Return a list of the operations on the cache from now on."""
    made = []
    real = copies._try
    monkeypatch.setattr(
        copies, "_try", lambda *args, **kw: made.append(args[0]) or real(*args, **kw)
    )
    return made


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (2, ["set_many", "set_many", "delete_many"]),
        (end_events.MANY - 1, ["set_many", "set_many", "delete_many"]),
        # An epoch before the commit, and one after it.
        (end_events.MANY, ["set_many", "set_many"]),
    ],
)
def test_a_revocation_makes_as_many_cache_calls_for_many_rows_as_for_two(
    store, alice, bob, operations, number, expected
):
    other = sign_in(store, bob, value=1)
    sessions = [sign_in(store, alice) for _ in range(number)]
    keys = [session.session_key for session in sessions]
    for key in [*keys, other.session_key] * 2:
        store(key).load()
    operations.clear()
    assert alice.session_set.all().revoke() == number
    assert operations == expected
    assert [store(key).load() for key in keys] == [{}] * number
    assert store(other.session_key).get("value") == 1


@pytest.mark.parametrize("number", [2, end_events.MANY])
def test_no_copy_is_made_between_the_deletion_and_its_commit(
    store, alice, monkeypatch, number
):
    """Else it would be believed if the purge after the commit never came."""
    keys = [sign_in(store, alice).session_key for _ in range(number)]
    row = Session.objects.for_key(keys[0]).get()
    offers = []

    def read_elsewhere(*args):
        # Stands for another process, whose transaction doesn't see the deletion yet.
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr(copies, "_is_suitable", lambda using: True)
            _, offer = copies.load(
                row.key_hash, model=Session, using="default", read=lambda: row
            )
        offers.append(offer)
        if offer is not None:
            offer()
        return True

    def mark_and_read(mark):
        return lambda *args: mark(*args) and read_elsewhere()

    for name in ("mark_ended", "mark_many_ended"):
        monkeypatch.setattr(copies, name, mark_and_read(getattr(copies, name)))
    for name in ("purge_ended", "purge_all"):
        monkeypatch.setattr(copies, name, lambda *args: False)
    assert alice.session_set.all().revoke() == number
    assert offers == [None]
    monkeypatch.undo()
    assert store(keys[0]).load() == {}


def test_an_ended_epoch_without_a_later_purge_stops_copies_until_it_expires(
    session,
):
    copy_key = copies._copy_key(session._row.key_hash)
    copies.mark_many_ended()
    for _ in range(2):
        assert load(session) == 1
        assert cache.get(copy_key) is None
    # Stands for its expiry.
    cache.delete(copies.EPOCH)
    for _ in range(2):
        assert load(session) == 1
    assert cache.get(copy_key)["epoch"] == cache.get(copies.EPOCH)


def test_no_copy_that_was_read_before_many_ended_is_believed(store, alice, operations):
    copies.purge_all()
    keys = [sign_in(store, alice).session_key for _ in range(end_events.MANY)]
    late = store(keys[0])
    late.begin_request()
    assert late.load()
    assert alice.session_set.all().revoke() == end_events.MANY
    # Stands for another process, whose context has no entry of the deletion.
    late._invalidated = set()
    late.end_request()
    assert operations[-1] in {"add", "set"}
    assert store(keys[0]).load() == {}


def test_many_ends_that_are_rolled_back_sign_nobody_out(store, alice):
    keys = [sign_in(store, alice, value=1).session_key for _ in range(end_events.MANY)]
    with transaction.atomic():
        alice.session_set.all().revoke()
        transaction.set_rollback(True)
    assert [store(key).get("value") for key in keys] == [1] * end_events.MANY


def test_a_cache_that_takes_only_some_of_the_marks_has_failed(
    store, alice, monkeypatch
):
    for _ in range(2):
        sign_in(store, alice)
    monkeypatch.setattr(
        copies.get_session_cache(), "set_many", lambda data, timeout: [next(iter(data))]
    )
    assert alice.session_set.all().revoke().cache_failed


@pytest.mark.parametrize("number", [1, 2])
def test_a_cache_that_fails_only_at_the_commit_has_failed(
    store, alice, monkeypatch, number
):
    for _ in range(number):
        sign_in(store, alice)
    answers = iter([True, False])
    real = copies._mark
    monkeypatch.setattr(copies, "_mark", lambda *args: real(*args) and next(answers))
    assert alice.session_set.all().revoke().cache_failed


def test_after_a_new_epoch_no_older_copy_is_believed(session):
    load(session)
    before = cache.get(copies.EPOCH)
    copies.purge_all()
    assert cache.get(copies.EPOCH) not in {before, None}
    Session.objects.all()._raw_delete("default")
    assert load(session) is None


def test_clear_expired_makes_no_cache_call(session, calls):
    load(session)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    calls.clear()
    SessionStore.clear_expired()
    assert calls == []
    assert not Session.objects.exists()


# A cache that fails


class Unreachable(Exception):
    pass


@pytest.fixture
def outage(session, monkeypatch):
    def fail(*args, **kwargs):
        raise Unreachable

    for name in Recorder.NAMES:
        monkeypatch.setattr(caches["default"], name, fail)


def test_without_the_cache_rows_are_read_from_the_database(session, outage, caplog):
    assert load(session) == 1
    assert "cache of the sessions has failed" in caplog.text


def test_after_a_failure_reads_leave_the_cache_alone_for_some_seconds(
    session, calls, monkeypatch
):
    copies._paused_until = time.monotonic() + copies.PAUSE
    calls.clear()
    assert load(session) == 1
    assert calls == []
    copies._paused_until = time.monotonic()
    assert load(session) == 1
    assert calls[0] == "get_many copy+mark+epoch"


def test_a_flush_marks_the_session_as_ended_also_in_a_cache_that_has_just_failed(
    session, calls
):
    copies._paused_until = time.monotonic() + copies.PAUSE
    calls.clear()
    session.flush()
    assert calls[:2] == ["set mark ended", "delete copy"]


def test_revoke_returns_cache_failed_if_the_cache_fails(session, outage, caplog):
    revoked = Session.objects.all().revoke()
    assert revoked == 1
    assert revoked.cache_failed
    assert caplog.records


def test_revoke_returns_no_cache_failed_if_the_cache_answers(session):
    assert not Session.objects.all().revoke().cache_failed


def test_a_cache_that_cannot_be_written_to_harms_no_save(session, outage, caplog):
    session["value"] = 2
    session.save()
    assert load(session) == 2
    assert "cache of the sessions has failed" in caplog.text


def test_a_store_with_an_alias_that_is_not_configured_raises_at_once(settings):
    settings.SESSION_CACHE_ALIAS = "missing"
    with pytest.raises(InvalidCacheBackendError):
        SessionStore()
