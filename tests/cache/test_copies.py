"""Copies of visitors' sessions: each row of the table in docs/caching.md."""

import json
import time
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import SESSION_KEY
from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from tests.cache.entries import Recorder, change_behind_the_cache, copy_of, names
from tests.cache.visits import Visit, visit
from tests.conftest import set_user, sign_in
from wagtail_user_sessions.backends import keys
from wagtail_user_sessions.backends.cached_db import SessionStore
from wagtail_user_sessions.backends.merge import AUTH_KEYS
from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.models import Session

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("engine", ["cached_db"], indirect=True),
    pytest.mark.usefixtures("engine"),
]


# Loads


def test_the_first_load_adds_a_tag_and_the_second_a_copy(session, calls, statements):
    with statements() as made:
        assert visit(session) == 1
        assert visit(session) == 1
    assert calls == ["get_many copy+tag", "add tag", "get_many copy+tag", "set copy"]
    assert made.verbs == ["SELECT", "SELECT"]


def test_a_load_with_a_copy_is_one_get_many_and_no_query(copied, calls, statements):
    with statements() as made:
        assert visit(copied) == 1
    assert calls == ["get_many copy+tag"]
    assert made.all == []


def test_a_head_request_believes_a_copy(copied, statements):
    with statements() as made:
        assert visit(copied, method="HEAD") == 1
    assert made.all == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_request_that_may_write_reads_the_database(copied, calls, method):
    change_behind_the_cache(copied, value=2)
    assert visit(copied, method=method) == 2
    assert calls == []


def test_a_store_outside_of_a_request_reads_the_database(copied, calls):
    change_behind_the_cache(copied, value=2)
    assert SessionStore(copied.session_key)["value"] == 2
    assert calls == []


def test_a_load_inside_a_transaction_reads_the_database(copied, calls):
    change_behind_the_cache(copied, value=2)
    with transaction.atomic():
        assert visit(copied) == 2
    assert calls == []


def test_with_autocommit_off_a_load_reads_the_database(copied, calls):
    transaction.set_autocommit(False)
    try:
        assert visit(copied) == 1
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)
    assert calls == []


def test_with_a_max_age_of_0_the_cache_gets_no_call(session, calls, settings):
    settings.WAGTAIL_USER_SESSIONS_CACHE_MAX_AGE = 0
    for _ in range(3):
        assert visit(session) == 1
    session["value"] = 2
    session.save()
    session.delete()
    assert calls == []


def test_a_copy_makes_a_row_with_the_columns_that_a_visitor_has(copied):
    with Visit(copied) as store:
        assert store["value"] == 1
        row = store.row
        assert (row.pk, row.version) == (copied._row.pk, copied._row.version)
        assert (row.user_id, row.expire_date) == (None, copied._row.expire_date)
        assert store.id == copied._row.pk


# What is believed

CHANGES = {
    "as it is": ({}, True),
    "another tag": ({"tag": 1}, False),
    "no tag": ({"tag": None}, False),
    "too old": ({"read_at": -61}, False),
    "just not too old": ({"read_at": -50}, True),
    "of a clock that is a little ahead": ({"read_at": 50}, True),
    "of the far future": ({"read_at": 70}, False),
    "no number": ({"read_at": "x"}, False),
    "no time": ({"expires": "soon"}, False),
    "another version's": ({"version": "x"}, False),
    "no id": ({"id": 7}, False),
}


@pytest.mark.parametrize(("change", "is_believed"), CHANGES.values(), ids=CHANGES)
def test_a_copy_is_believed_while_its_tag_stands_and_its_time_lasts(
    copied, statements, change, is_believed
):
    copy = copy_of(copied)
    if isinstance(change.get("read_at"), int):
        change = {"read_at": time.time() + change["read_at"]}
    cache.set(names(copied).copy, {**copy, **change})
    with statements() as made:
        assert visit(copied) == 1
    assert made.verbs == ([] if is_believed else ["SELECT"])


@pytest.mark.parametrize("rubbish", [None, 7, "text", [], {}, {"tag": 1}, b"\x00"])
def test_rubbish_in_the_place_of_a_copy_costs_a_query(copied, statements, rubbish):
    cache.set(names(copied).copy, rubbish)
    with statements() as made:
        assert visit(copied) == 1
    assert made.verbs == ["SELECT"]


def test_a_copy_is_not_believed_after_the_expiry_of_its_session(copied):
    copy = copy_of(copied)
    over = timezone.now() - timedelta(seconds=1)
    cache.set(names(copied).copy, {**copy, "expires": over.isoformat()})
    Session.objects.update(expire_date=over)
    assert visit(copied) is None


def test_a_copy_is_not_believed_without_its_tag(copied):
    change_behind_the_cache(copied, value=2)
    cache.delete(names(copied).tag)
    assert visit(copied) == 2


def test_the_time_of_a_copy_is_taken_before_the_row_is_read(session, monkeypatch):
    visit(session)
    started = time.time()
    real = SessionStore._fetch

    def slow(store):
        time.sleep(0.05)
        return real(store)

    monkeypatch.setattr(SessionStore, "_fetch", slow)
    visit(session)
    assert copy_of(session)["read_at"] - started < 0.05


def test_a_copy_is_text_and_numbers_without_the_key(copied):
    copy = copy_of(copied)
    assert json.loads(json.dumps(copy)) == copy
    assert copied.session_key not in repr((names(copied), copy))


# A session with a user


def test_a_session_with_a_user_makes_no_call(engine, alice, monkeypatch):
    session = sign_in(SessionStore, alice)
    calls = Recorder(monkeypatch).calls
    for _ in range(3):
        with Visit(session) as store:
            assert store[SESSION_KEY] == str(alice.pk)
    with Visit(session, method="POST") as store:
        store["value"] = 1
        store.save()
    alice.session_set.get().rename("mine")
    assert alice.session_set.all().revoke() == 1
    assert calls == []


def test_a_session_with_a_user_and_a_visitors_key_is_never_copied(alice, monkeypatch):
    session = sign_in(SessionStore, alice)
    # As a key of a site's own, which is not of the class.
    monkeypatch.setattr(keys, "FOR_SIGN_IN", "")
    calls = Recorder(monkeypatch).calls
    for _ in range(3):
        with Visit(session) as store:
            assert SESSION_KEY in store
    assert set(calls) == {"get_many copy+tag"}


def test_a_copy_that_says_that_somebody_is_signed_in_is_not_believed(
    copied, alice, statements
):
    store = SessionStore()
    set_user(store, alice)
    store["value"] = "of alice"
    signed_in = store.encode(dict(store.items()))
    cache.set(names(copied).copy, {**copy_of(copied), "data": signed_in})
    with statements() as made, Visit(copied) as visited:
        assert SESSION_KEY not in visited
        assert visited["value"] == 1
    assert made.verbs == ["SELECT"]


def test_a_sign_in_by_hand_takes_the_copy_away(copied, alice):
    store = SessionStore(copied.session_key)
    set_user(store, alice)
    store.save()
    with Visit(copied) as visited:
        assert visited[SESSION_KEY] == str(alice.pk)


def test_a_sign_out_by_hand_makes_the_session_a_visitors(
    alice, monkeypatch, statements
):
    session = sign_in(SessionStore, alice, value=1)
    monkeypatch.setattr(keys, "FOR_SIGN_IN", "")
    visit(session)
    calls = Recorder(monkeypatch).calls
    store = SessionStore(session.session_key)
    for key in AUTH_KEYS:
        del store[key]
    store.save()
    assert calls == ["set_many tag", "delete_many copy"]
    visit(session)
    with statements() as made, Visit(session) as visited:
        assert SESSION_KEY not in visited
        assert visited["value"] == 1
    assert made.all == []


# Changes and ends


def end_by_flush(session):
    SessionStore(session.session_key).flush()


ENDS = {
    "delete() of the store": lambda session: session.delete(),
    "flush()": end_by_flush,
    "delete() of the row": lambda session: Session.objects.get().delete(),
    "delete() of the query set": lambda session: Session.objects.all().delete(),
    "revoke()": lambda session: Session.objects.all().revoke(),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_an_ended_session_has_no_copy(copied, calls, end):
    end(copied)
    assert calls[-2:] == ["set_many tag", "delete_many copy"]
    assert visit(copied) is None


def test_a_change_takes_the_copy_away_once_it_has_committed(copied, calls):
    store = SessionStore(copied.session_key)
    store["value"] = 2
    with transaction.atomic():
        store.save()
        assert calls == []
    assert calls == ["set_many tag", "delete_many copy"]
    assert visit(copied) == 2


def test_a_change_that_is_rolled_back_makes_no_call(copied, calls):
    store = SessionStore(copied.session_key)
    store["value"] = 2
    with transaction.atomic():
        store.save()
        transaction.set_rollback(True)
    assert calls == []


def test_unchanged_data_leaves_the_cache_alone(copied, calls):
    store = SessionStore(copied.session_key)
    store.get("value")
    store.save()
    assert calls == []


def test_a_new_key_takes_the_copy_of_the_old_one_away(copied, calls):
    store = SessionStore(copied.session_key)
    store.cycle_key()
    assert calls == ["set_many tag", "delete_many copy"]
    assert visit(copied) is None


def test_a_row_saved_by_hand_has_no_copy_any_more(copied):
    row = Session.objects.get()
    row.session_data = SessionStore().encode({"value": 2})
    row.save()
    assert visit(copied) == 2


def test_a_row_read_before_a_change_is_copied_in_vain(session, monkeypatch):
    visit(session)
    with Visit(session) as slow:
        assert slow["value"] == 1
        store = SessionStore(session.session_key)
        store["value"] = 2
        store.save()
    # The slow request has offered what it had read.
    assert visit(session) == 2


def test_many_ends_make_two_calls(engine, monkeypatch):
    for _ in range(100):
        session = SessionStore()
        session["value"] = 1
        session.save()
    calls = Recorder(monkeypatch).calls
    assert Session.objects.all().revoke() == 100
    assert calls == ["set_many tag", "delete_many copy"]


def test_expired_sessions_are_cleared_without_a_call(copied, calls):
    Session.objects.update(expire_date=timezone.now() - timedelta(days=1))
    calls.clear()
    SessionStore.clear_expired()
    assert calls == []
    assert not Session.objects.exists()


# Keys and places


def test_each_database_schema_and_table_has_entries_of_its_own(settings, monkeypatch):
    found = {copies._names(b"x" * 32, Session, "default")}
    for name, value in (("HOST", "db2"), ("PORT", 7), ("NAME", "other")):
        monkeypatch.setitem(connection.settings_dict, name, value)
        found.add(copies._names(b"x" * 32, Session, "default"))
    monkeypatch.setattr(connection, "schema_name", "tenant", raising=False)
    found.add(copies._names(b"x" * 32, Session, "default"))
    monkeypatch.setattr(Session._meta, "db_table", "another_table")
    found.add(copies._names(b"x" * 32, Session, "default"))
    assert len(found) == 6


def test_both_entries_of_a_session_have_the_same_hash_tag():
    copy, tag = copies._names(b"x" * 32, Session, "default")
    assert copy != tag
    assert copy[copy.index("{") :] == tag[tag.index("{") :]


def test_pages_of_a_visitor_cost_no_query_and_one_call(browser, statements, engine):
    client = browser()
    session = SessionStore()
    session["value"] = 1
    session.save()
    client.cookies[django_settings.SESSION_COOKIE_NAME] = session.session_key
    for _ in range(2):
        client.get("/whoami/")
    with statements() as made:
        assert client.get("/whoami/").content == b"nobody"
    assert made.all == []
