"""Saves without a merge, and refused ones: the table in docs/saving.md."""

import pytest
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import OperationalError
from django.utils import timezone

from tests.backends.stored_sessions import again, row_of, stored
from tests.conftest import set_user
from wagtail_user_sessions.models import Session

pytestmark = pytest.mark.django_db(transaction=True)


# Data unchanged


def test_unchanged_data_moves_the_expiry_and_not_the_version(session, statements):
    before = row_of(session)
    later = again(session, "POST")
    with statements() as made:
        later.save()
    after = row_of(session)
    assert made.verbs == ["UPDATE"]
    assert after.expire_date > before.expire_date
    assert (after.version, after.session_data) == (before.version, before.session_data)


def test_unchanged_data_of_an_ended_session_is_refused(session):
    late = again(session)
    session.delete()
    with pytest.raises(UpdateError):
        late.save()
    assert not Session.objects.exists()


def test_a_value_that_python_calls_equal_is_a_change(session):
    session["kept"] = True
    session.save()
    assert stored(session)["kept"] is True


def test_unchanged_data_keeps_an_expiry_that_another_request_shortened(session):
    idle, shortening = again(session), again(session)
    shortening.set_expiry(60)
    shortening.save()
    idle.save()
    assert (row_of(session).expire_date - timezone.now()).total_seconds() <= 60


# Overwrite


def test_data_cleared_unread_under_the_key_of_an_ended_session_gets_a_new_key(
    store, session
):
    dead_key = session.session_key
    session.delete()
    clearing = store(dead_key)
    clearing.clear()
    clearing["new"] = 1
    clearing.save()
    assert clearing.session_key != dead_key
    assert stored(clearing) == {"new": 1}


@pytest.mark.parametrize("is_loaded", [True, False])
def test_after_clear_the_data_replaces_whatever_is_there(session, is_loaded):
    clearing = again(session) if is_loaded else type(session)(session.session_key)
    clearing.clear()
    clearing["new"] = 1
    other = again(session)
    other["theirs"] = 1
    other.save()
    clearing.save()
    assert stored(session) == {"new": 1}


def test_after_create_the_data_replaces_whatever_is_there(store):
    session = store()
    session.create()
    other = again(session)
    other["theirs"] = 1
    other.save()
    session["ours"] = 1
    session.save()
    assert stored(session) == {"ours": 1}


def test_after_flush_the_data_goes_into_a_new_row(session, store):
    old_key = session.session_key
    session.flush()
    session["new"] = 1
    session.save()
    assert not store().exists(old_key)
    assert stored(session) == {"new": 1}
    assert Session.objects.count() == 1


def test_must_create_with_an_existing_key_raises_create_error(store, session):
    with pytest.raises(CreateError):
        store(session.session_key).save(must_create=True)
    assert stored(session)["kept"] == 1


# Version still the same


def test_changed_data_is_one_update_without_a_transaction(session, statements):
    changing = again(session, "POST")
    changing["kept"] = 3
    with statements() as made:
        changing.save()
    assert made.verbs == ["UPDATE"]
    assert "key_hash" in made.all[0].split("WHERE")[1]
    assert "version" in made.all[0].split("WHERE")[1]
    assert stored(session)["kept"] == 3


def test_a_change_inside_a_value_is_saved(session):
    changing = again(session)
    changing["nested"]["list"].append(2)
    changing.save()
    assert stored(session)["nested"] == {"list": [1, 2]}


# Row gone


def test_a_late_save_never_revives_an_ended_session(session):
    late = again(session)
    late["more"] = 1
    Session.objects.all().delete()
    for _ in range(2):
        with pytest.raises(UpdateError):
            late.save()
        late.load()
    assert not Session.objects.exists()


def test_a_refused_save_raises_session_interrupted(session):
    session.delete()
    session["more"] = 1
    with pytest.raises(SessionInterrupted):
        session.save()


def test_a_database_error_refuses_the_save(session, monkeypatch):
    changing = again(session)
    changing["kept"] = 2
    monkeypatch.setattr(changing, "encode", lambda data: None)
    with pytest.raises(UpdateError):
        changing.save()
    assert stored(session)["kept"] == 1


def test_a_session_of_a_user_who_is_gone_is_refused(store, alice):
    session = store()
    set_user(session, alice)
    alice.delete()
    with pytest.raises(UpdateError):
        session.save()


def test_a_first_save_that_failed_can_be_made_again(store, monkeypatch):
    session = store()
    session["a"] = 1
    save = Session.save

    def fail_once(*args, **kwargs):
        monkeypatch.setattr(Session, "save", save)
        raise OperationalError

    monkeypatch.setattr(Session, "save", fail_once)
    with pytest.raises(UpdateError):
        session.save()
    session.save()
    assert stored(session) == {"a": 1}
