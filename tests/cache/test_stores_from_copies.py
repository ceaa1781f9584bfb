"""Stores that were filled from a copy: they read the row before they write."""

import pytest

from tests.cache.entries import change_behind_the_cache
from tests.cache.visits import Visit, visit
from tests.conftest import set_user
from wagtail_user_sessions.backends.db import SessionStore as DBStore
from wagtail_user_sessions.exceptions import SessionRefused
from wagtail_user_sessions.models import Session

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("engine", ["cached_db"], indirect=True),
    pytest.mark.usefixtures("engine"),
]


def test_a_change_under_a_copy_is_merged_over_the_row(copied):
    change_behind_the_cache(copied, other=7)
    with Visit(copied) as store:
        assert "other" not in store
        store["value"] = 2
        store.save()
        assert store["other"] == 7
    assert dict(DBStore(copied.session_key).items()) == {"value": 2, "other": 7}


def test_a_change_under_a_copy_of_a_dead_row_is_refused(copied):
    Session.objects.all()._raw_delete("default")
    with Visit(copied) as store:
        store["value"] = 2
        with pytest.raises(SessionRefused):
            store.save()
    # And the copy with it.
    assert visit(copied) is None
    assert not Session.objects.exists()


@pytest.mark.parametrize("act", ["cycle_key", "mark_signed_in"])
def test_a_key_renewed_under_a_copy_of_a_dead_row_is_refused(copied, act):
    Session.objects.all()._raw_delete("default")
    with Visit(copied) as store:
        store.get("value")
        with pytest.raises(SessionRefused):
            getattr(store, act)()
    # The next request must not begin with the same copy.
    assert visit(copied) is None


def test_a_key_renewed_under_a_copy_keeps_what_the_row_has(copied):
    change_behind_the_cache(copied, other=7)
    with Visit(copied) as store:
        store.get("value")
        store.cycle_key()
        store.save()
        found = dict(DBStore(store.session_key).items())
    assert found == {"value": 1, "other": 7}


def test_a_sign_in_under_a_copy_is_refused_where_another_user_has_signed_in(
    copied, alice, bob
):
    with Visit(copied) as store:
        store.get("value")
        other = DBStore(copied.session_key)
        set_user(other, bob)
        other.save()
        set_user(store, alice)
        with pytest.raises(SessionRefused):
            store.cycle_key()
    assert Session.objects.get().user_id == bob.pk


def test_a_flush_under_a_copy_ends_the_row_as_it_is(copied, alice, caplog):
    other = DBStore(copied.session_key)
    set_user(other, alice)
    other.save()
    with Visit(copied) as store:
        store.get("value")
        store.flush()
    assert not Session.objects.exists()


def test_a_copy_of_cleared_data_is_overwritten_and_not_merged(copied):
    change_behind_the_cache(copied, other=7)
    with Visit(copied) as store:
        store.get("value")
        store.clear()
        store["value"] = 3
        store.save()
    assert dict(DBStore(copied.session_key).items()) == {"value": 3}


def test_a_save_after_delete_under_a_copy_is_refused(copied):
    with Visit(copied) as store:
        store.get("value")
        store.delete()
        store["late"] = 1
        with pytest.raises(SessionRefused):
            store.save()
    assert not Session.objects.exists()


def test_the_deletion_of_another_session_under_a_copy_keeps_the_base_of_a_merge(
    copied,
):
    another = DBStore()
    another.create()
    change_behind_the_cache(copied, other=7)
    with Visit(copied) as store:
        store.get("value")
        store.delete(another.session_key)
        store["value"] = 2
        store.save()
    assert dict(DBStore(copied.session_key).items()) == {"value": 2, "other": 7}


def test_a_flush_under_a_copy_leaves_nothing_of_it_for_the_next_session(copied):
    with Visit(copied) as store:
        store.get("value")
        store.flush()
        store["new"] = 1
        store.save()
        store["newer"] = 2
        store.save()
    assert store.session_key != copied.session_key
    assert dict(DBStore(store.session_key).items()) == {"new": 1, "newer": 2}
    assert visit(copied) is None


def test_create_under_a_copy_of_a_dead_row_keeps_the_requests_own_changes_alone(copied):
    Session.objects.all()._raw_delete("default")
    with Visit(copied) as store:
        store["mine"] = 1
        if not store.exists(store.session_key):
            store.create()
        store.save()
        key = store.session_key
    assert dict(DBStore(key).items()) == {"mine": 1}
    assert visit(copied) is None


def test_create_under_a_copy_of_a_row_keeps_its_data(copied):
    change_behind_the_cache(copied, other=7)
    with Visit(copied) as store:
        store.get("value")
        store.create()
        key = store.session_key
    assert dict(DBStore(key).items()) == {"value": 1, "other": 7}


@pytest.mark.parametrize("act", ["cycle_key", "mark_signed_in"])
def test_an_unread_store_revives_no_dead_row_from_its_copy(copied, act):
    Session.objects.all()._raw_delete("default")
    with Visit(copied) as store, pytest.raises(SessionRefused):
        getattr(store, act)()
    assert not Session.objects.exists()


def test_a_new_key_after_clear_under_a_copy_moves_no_other_users_row(copied, alice):
    with Visit(copied) as store:
        store.get("value")
        other = DBStore(copied.session_key)
        set_user(other, alice)
        other.save()
        store.clear()
        with pytest.raises(SessionRefused):
            store.cycle_key()
    assert alice.session_set.for_key(copied.session_key).exists()


def test_a_second_load_forgets_no_copy(copied):
    with Visit(copied) as store:
        store.get("value")
        Session.objects.all()._raw_delete("default")
        store.load()
        with pytest.raises(SessionRefused):
            store.cycle_key()
    assert not Session.objects.exists()


def test_a_page_that_changes_the_session_offers_no_copy_of_before(session, calls):
    visit(session)
    calls.clear()
    with Visit(session) as store:
        store["value"] = 2
        store.save()
    assert calls == ["get_many copy+tag", "set_many tag", "delete_many copy"]


def test_where_every_request_saves_no_copy_is_read(copied, settings):
    settings.SESSION_SAVE_EVERY_REQUEST = True
    Session.objects.all()._raw_delete("default")
    assert visit(copied) is None


def test_a_model_with_a_parent_table_keeps_no_copies(session, calls, monkeypatch):
    monkeypatch.setattr(Session._meta, "parents", {Session: None})
    for _ in range(3):
        assert visit(session) == 1
    assert calls == []
