"""Writes of a store that are rolled back."""

import pytest
from django.contrib.auth import login
from django.db import transaction
from django.http import HttpRequest

from tests.backends.stored_sessions import again, stored
from tests.conftest import set_user, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_write_that_was_rolled_back_is_written_by_the_next_save(session):
    changing = again(session)
    changing["more"] = 1
    with transaction.atomic():
        changing.save()
        transaction.set_rollback(True)
    changing.save()
    assert stored(session)["more"] == 1


def test_a_key_deleted_after_an_uncommitted_save_stays_deleted(session):
    changing = again(session)
    with transaction.atomic():
        changing["more"] = 1
        changing.save()
        del changing["more"]
        changing.save()
    assert "more" not in stored(session)


def test_a_save_in_a_savepoint_that_was_rolled_back_is_not_the_base(session):
    changing = again(session)
    with transaction.atomic():
        changing["first"] = 1
        changing.save()
        with transaction.atomic():
            changing["second"] = 1
            changing.save()
            transaction.set_rollback(True)
        changing["third"] = 1
        changing.save()
    assert {"first", "second", "third"} <= stored(session).keys()


def test_a_rolled_back_insert_is_repeated_by_the_next_save(store):
    session = store()
    with transaction.atomic():
        session["more"] = 1
        session.save()
        transaction.set_rollback(True)
    session.save()
    assert stored(session) == {"more": 1}


def test_a_rolled_back_key_is_replaced_by_the_next_save(session, store):
    old_key = session.session_key
    with transaction.atomic():
        session.cycle_key()
        transaction.set_rollback(True)
    assert store(old_key).get("kept") == 1
    session["more"] = 1
    session.save()
    assert store(old_key).load() == {}
    assert stored(session)["more"] == 1


def test_a_flush_that_was_rolled_back_is_repeated(session, store):
    old_key = session.session_key
    with transaction.atomic():
        session.flush()
        transaction.set_rollback(True)
    assert store(old_key).get("kept") == 1
    session.handle_rollbacks()
    assert store(old_key).load() == {}


def test_flush_after_a_rolled_back_key_ends_the_row(store, alice):
    session = again(sign_in(store, alice))
    with transaction.atomic():
        session.cycle_key()
        transaction.set_rollback(True)
    session.flush()
    assert not alice.session_set.exists()


def test_a_second_sign_in_after_a_rollback_leaves_one_session(engine, alice):
    request = HttpRequest()
    request.session = engine.SessionStore()
    alice.backend = "django.contrib.auth.backends.ModelBackend"
    with transaction.atomic():
        login(request, alice)
        request.session.save()
        transaction.set_rollback(True)
    login(request, alice)
    request.session.save()
    assert alice.session_set.count() == 1


@pytest.mark.parametrize("is_new", [True, False])
def test_an_on_commit_hook_of_the_site_can_save_the_session(store, alice, is_new):
    session = store()
    if not is_new:
        session["a"] = 1
        session.save()
        session = again(session)

    def hook():
        session["hook"] = 1
        session.save()

    with transaction.atomic():
        transaction.on_commit(hook)
        set_user(session, alice)
        session.save()
        key = session.session_key
    assert session.session_key == key
    assert stored(session)["hook"] == 1
    assert alice.session_set.count() == 1
