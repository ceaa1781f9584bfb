"""Sessions that end while a concurrent request changes their key."""

import pytest
from django.contrib.auth import SESSION_KEY, login
from django.db import connection
from django.db.models.signals import post_delete, pre_delete
from django.http import HttpRequest
from django.test.utils import isolate_apps

from tests.backends.stored_sessions import (
    again,
    row_of,
    signed_in_by_hand,
    values_of,
)
from tests.conftest import set_user, sign_in
from wagtail_user_sessions import signal_handlers
from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.exceptions import SessionRefused
from wagtail_user_sessions.models import Reason, Session

pytestmark = pytest.mark.django_db(transaction=True)

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def session(store, alice):
    return signed_in_by_hand(store, alice)


def renew(session):
    """Change the key in a concurrent request, and load the session under the new one."""
    other = again(session)
    other.cycle_key()
    other.save()
    return again(other)


def is_signed_in(session):
    return "_auth_user_id" in again(session)


def test_row_delete_ends_a_session_with_a_new_key(session, alice):
    row = alice.session_set.get()
    renewed = renew(session)
    row.delete()
    assert not is_signed_in(renewed)
    assert row.pk is None


def test_revoke_ends_a_session_with_a_new_key(session, alice):
    rows = alice.session_set.all()
    list(rows)
    renewed = renew(session)
    assert rows.revoke() == 1
    assert not is_signed_in(renewed)


@pytest.fixture
def listener():
    """A receiver of the site's own: rows are read before they are deleted."""
    heard = []

    def listen(instance, **kwargs):
        heard.append(connection.in_atomic_block)

    pre_delete.connect(listen, sender=Session)
    yield heard
    pre_delete.disconnect(listen, sender=Session)


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite has no row locks")
def test_rows_are_locked_from_their_reading_to_their_deletion(
    session, alice, statements, listener
):
    with statements() as made:
        alice.session_set.all().revoke()
    assert "FOR UPDATE" in next(sql for sql in made.all if sql.startswith("SELECT"))
    assert listener == [True]


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="others have row locks")
def test_revoke_on_sqlite_writes_before_it_reads_the_rows(
    session, alice, statements, listener
):
    with statements() as made:
        alice.session_set.all().revoke()
    assert made.verbs == ["BEGIN", "UPDATE", "SELECT", "DELETE", "COMMIT"]
    assert listener == [True]


def test_revoke_with_a_site_receiver_ends_a_session_with_a_new_key(
    session, alice, listener
):
    rows = alice.session_set.all()
    list(rows)
    renewed = renew(session)
    assert rows.revoke() == 1
    assert not is_signed_in(renewed)


def test_rows_filtered_by_a_column_of_the_user_are_deleted(session, alice, bob):
    sign_in(type(session), bob)
    assert Session.objects.filter(user__username="alice").revoke() == 1
    assert Session.objects.exclude(user__username="alice").delete()[0] == 1


def test_delete_of_a_slice_raises_type_error(session):
    with pytest.raises(TypeError):
        Session.objects.all()[:1].delete()


def test_sign_out_ends_a_session_with_a_new_key(session, alice):
    signing_out = again(session)
    renewed = renew(session)
    signing_out.end_reason = Reason.SIGNED_OUT
    signing_out.flush()
    assert not is_signed_in(renewed)
    assert not alice.session_set.exists()


def test_flush_of_a_request_with_an_old_password_ends_no_session_with_a_new_key(
    session, alice
):
    refused = again(session)
    renewed = renew(session)
    refused.flush()
    assert is_signed_in(renewed)


def test_delete_through_a_proxy_model_ends_a_visitors_session(visitor):
    with isolate_apps("tests"):

        class ProxySession(Session):
            class Meta:
                proxy = True
                app_label = "tests"

    post_delete.connect(signal_handlers.session_deleted, sender=ProxySession)
    # As in a process that has created no store.
    copies.are_kept = False
    ProxySession.objects.all().delete()
    assert dict(again(visitor).items()) == {}


def test_a_row_read_from_a_replica_is_revoked_in_the_primary_database(session, alice):
    row = alice.session_set.get()
    row._state.db = "replica"
    row.revoke()
    assert not Session.objects.exists()


@pytest.mark.parametrize("engine", ["cached_db"], indirect=True)
def test_load_from_a_copy_opens_no_connection_to_the_database(visitor):
    connection.close()
    assert again(visitor)["value"] == 1
    assert connection.connection is None


# Late sign-ins of a visitor under whose key another user has signed in by hand


@pytest.fixture
def visitor(store):
    """A visitor's session; with ``cached_db``, it has a copy."""
    session = store()
    session["value"] = 1
    session.save()
    for _ in range(2):
        again(session)
    return session


def request_with(session):
    request = HttpRequest()
    request.session = session
    return request


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_late_login_is_refused_where_another_user_has_signed_in_by_hand(
    visitor, alice, bob, method
):
    late = again(visitor, method)
    by_hand = again(visitor)
    set_user(by_hand, bob)
    by_hand.save()
    before = row_of(visitor)
    with pytest.raises(SessionRefused):
        login(request_with(late), alice, MODEL_BACKEND)
    assert values_of(Session.objects.get()) == values_of(before)
    assert again(visitor)[SESSION_KEY] == str(bob.pk)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_save_after_a_refused_late_login_changes_nothing(visitor, alice, bob, method):
    late = again(visitor, method)
    by_hand = again(visitor)
    set_user(by_hand, bob)
    by_hand.save()
    before = row_of(visitor)
    with pytest.raises(SessionRefused):
        login(request_with(late), alice, MODEL_BACKEND)
    set_user(late, alice)
    with pytest.raises(SessionRefused):
        late.save()
    assert values_of(Session.objects.get()) == values_of(before)


def test_a_late_login_is_refused_where_the_session_has_changed_its_user_by_hand(
    session, alice, bob
):
    late = again(session)
    by_hand = again(session)
    set_user(by_hand, bob)
    by_hand.save()
    before = row_of(session)
    # Of the user whom the late request knows: Django keeps the key, and we change it.
    with pytest.raises(SessionRefused):
        login(request_with(late), alice, MODEL_BACKEND)
    assert values_of(Session.objects.get()) == values_of(before)


def test_cycle_key_repeats_the_user_as_it_was_loaded(
    visitor, session, alice, statements
):
    for loaded, condition in (
        (again(visitor, "POST"), '"user_id" IS NULL'),
        (again(session), f'"user_id" = {alice.pk}'),
    ):
        with statements() as made:
            loaded.cycle_key()
        (move,) = made.all
        assert move.startswith("UPDATE")
        assert condition in move.replace("`", '"').split("WHERE")[1]
