"""Saves of data that a concurrent request has changed: the table in docs/saving.md."""

import pickle

import pytest
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.db import OperationalError, connection

from tests.backends.stored_sessions import again, row_of, stored
from tests.conftest import set_user, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


# Version moved, auth keys unchanged


def test_merge_keeps_the_changes_and_deletions_of_both_requests(session):
    ours, theirs = again(session), again(session)
    ours["ours"] = 1
    del ours["deleted"]
    theirs["theirs"] = 1
    theirs["kept"] = "changed"
    theirs.save()
    ours.save()
    expected = {"kept": "changed", "nested": {"list": [1]}, "ours": 1, "theirs": 1}
    assert stored(session) == expected
    assert dict(ours.items()) == expected


def test_merge_of_one_key_that_both_changed_keeps_the_later_value(session):
    ours, theirs = again(session), again(session)
    ours["kept"], theirs["kept"] = "ours", "theirs"
    theirs.save()
    ours.save()
    assert stored(session)["kept"] == "ours"


def test_merge_drops_a_key_that_only_they_deleted(session):
    ours, theirs = again(session), again(session)
    del theirs["deleted"]
    ours["ours"] = 1
    theirs.save()
    ours.save()
    assert "deleted" not in stored(session)


def test_merged_values_survive_a_second_save(session):
    ours, theirs = again(session), again(session)
    theirs["theirs"] = 1
    theirs.save()
    ours["ours"] = 1
    ours.save()
    ours["more"] = 1
    ours.save()
    assert stored(session)["theirs"] == 1


def test_merge_keeps_the_object_of_an_unchanged_value(session):
    ours, theirs = again(session), again(session)
    held = ours["nested"]
    theirs["theirs"] = 1
    theirs.save()
    ours["ours"] = 1
    ours.save()
    held["list"].append(2)
    ours.save()
    assert stored(session)["nested"] == {"list": [1, 2]}


# Version moved, only we changed the auth keys


def test_sign_in_of_a_visitor_is_merged_with_concurrent_changes(session, alice):
    ours, theirs = again(session), again(session)
    theirs["theirs"] = 1
    theirs.save()
    set_user(ours, alice)
    ours.save()
    assert stored(session)["theirs"] == 1
    assert row_of(session).user == alice


def test_sign_in_of_another_user_overwrites_concurrent_changes(store, alice, bob):
    session = sign_in(store, alice, secret="of alice")
    ours, theirs = again(session), again(session)
    theirs["theirs"] = "of alice"
    theirs.save()
    ours.clear()
    set_user(ours, bob)
    ours.save()
    assert row_of(session).user == bob
    assert "of alice" not in stored(session).values()


def test_change_of_user_without_clear_overwrites_concurrent_changes(store, alice, bob):
    session = sign_in(store, alice)
    ours, theirs = again(session), again(session)
    theirs["theirs"] = "of alice"
    theirs.save()
    set_user(ours, bob)
    ours.save()
    assert "theirs" not in stored(session)


def test_deletion_of_all_keys_without_clear_overwrites_concurrent_changes(store, alice):
    session = sign_in(store, alice)
    ours, theirs = again(session), again(session)
    theirs["theirs"] = "of alice"
    theirs.save()
    for key in list(ours.keys()):
        del ours[key]
    ours.save()
    row = row_of(session)
    assert stored(session) == {}
    assert (row.user, row.signed_in_at, row.auth_digest) == (None, None, None)


def test_a_new_password_overwrites_concurrent_changes(store, alice):
    session = sign_in(store, alice)
    ours, theirs = again(session), again(session)
    theirs["theirs"] = 1
    theirs.save()
    ours[HASH_SESSION_KEY] = "another hash"
    ours.save()
    assert "theirs" not in stored(session)
    assert stored(session)[HASH_SESSION_KEY] == "another hash"


# Version moved, they changed the auth keys


def test_a_save_beside_a_sign_in_is_refused(session, alice):
    ours, theirs = again(session), again(session)
    set_user(theirs, alice)
    theirs.save()
    ours["ours"] = 1
    with pytest.raises(UpdateError):
        ours.save()
    assert "ours" not in stored(session)
    assert row_of(session).user == alice


def test_two_sign_ins_of_one_session_leave_one_user(session, alice, bob):
    ours, theirs = again(session), again(session)
    set_user(theirs, alice)
    theirs.save()
    set_user(ours, bob)
    with pytest.raises(UpdateError):
        ours.save()
    assert stored(session)[SESSION_KEY] == str(alice.pk)


def test_a_save_beside_a_change_of_password_is_refused(store, alice):
    session = sign_in(store, alice)
    ours, theirs = again(session), again(session)
    theirs[HASH_SESSION_KEY] = "another hash"
    theirs.save()
    ours["ours"] = 1
    with pytest.raises(UpdateError):
        ours.save()


def test_merge_treats_equal_pickled_sets_as_unchanged(store):
    class Pickle:
        def dumps(self, data):
            return pickle.dumps(data, 4)

        def loads(self, data):
            return pickle.loads(data)

    class PickleStore(store):
        def __init__(self, session_key=None):
            super().__init__(session_key)
            self.serializer = Pickle

    session = PickleStore()
    session["letters"] = set("abcdefghijklmnop")
    session.save()
    for number in range(20):
        ours, theirs = again(session), again(session)
        theirs["letters"].add(str(number))
        theirs.save()
        ours["number"] = number
        ours.save()
    assert len(stored(session)["letters"]) == 36


# Row locks


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite has no row locks")
def test_a_merge_is_repeated_after_a_deadlock_at_the_commit(session, monkeypatch):
    ours, theirs = again(session, "POST"), again(session)
    theirs["theirs"] = 1
    theirs.save()
    ours["ours"] = 1
    commit, failures = connection._commit, [1213]

    def give_up_once():
        if not failures:
            return commit()
        connection._rollback()
        raise OperationalError("given up") from Exception(failures.pop())

    monkeypatch.setattr(connection, "_commit", give_up_once)
    ours.save()
    assert failures == []
    assert {"ours", "theirs"} <= stored(session).keys()


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite has no row locks")
def test_a_merge_reads_the_newest_row_under_a_lock(session, statements):
    ours, theirs = again(session, "POST"), again(session)
    theirs["theirs"] = 1
    theirs.save()
    ours["ours"] = 1
    with statements() as made:
        ours.save()
    assert [sql.split()[0] for sql in made.all if "SELECT" in sql] == ["SELECT"]
    assert any("FOR UPDATE" in sql for sql in made.all)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="others have row locks")
def test_a_merge_without_row_locks_opens_no_transaction(session, statements):
    ours, theirs = again(session, "POST"), again(session)
    theirs["theirs"] = 1
    theirs.save()
    ours["ours"] = 1
    with statements() as made:
        ours.save()
    assert made.verbs == ["UPDATE", "SELECT", "UPDATE"]
