"""Sign-ins of visitors without a session: one INSERT writes the whole row."""

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import alogin, login, logout
from django.contrib.auth.signals import user_logged_in
from django.db import DatabaseError, transaction
from django.db.models.signals import post_save
from django.http import HttpRequest

from tests.backends.stored_sessions import again
from tests.conftest import listening, set_user
from wagtail_user_sessions.exceptions import SessionRefused
from wagtail_user_sessions.models import Session
from wagtail_user_sessions.signals import session_ended, session_started

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def request_of_a_visitor(store):
    request = HttpRequest()
    request.session = store()
    return request


@pytest.fixture
def heard():
    """The signals that were sent, each with the id of its session's user."""
    sent = []

    def started(session, **kwargs):
        sent.append(("started", session.user_id))

    def ended(session, **kwargs):
        sent.append(("ended", session.user_id))

    with listening(session_started, started), listening(session_ended, ended):
        yield sent


def post_login(browser):
    client = browser()
    credentials = {"username": "alice", "password": "secret"}
    return client, client.post("/login/", credentials)


def test_one_insert_writes_the_row_with_its_user(
    request_of_a_visitor, alice, statements, heard
):
    session = request_of_a_visitor.session
    with statements() as made:
        login(request_of_a_visitor, alice)
        assert session.modified
        session["more"] = 1
        session.save()
    assert made.verbs == ["INSERT"]
    row = alice.session_set.get()
    assert row.signed_in_at == row.last_activity is not None
    assert row.get_decoded()["more"] == 1
    assert dict(again(session).items()) == row.get_decoded()
    assert heard == [("started", alice.pk)]


def test_the_pending_key_is_known_at_once_and_stays(request_of_a_visitor, alice):
    login(request_of_a_visitor, alice)
    session = request_of_a_visitor.session
    key = session.session_key
    assert len(key) == 32
    assert session.exists(key)
    assert not session.exists("x" * 32)
    session.save()
    assert session.session_key == key
    assert session.exists(key)
    session["later"] = 1
    session.save()
    assert Session.objects.get().get_decoded()["later"] == 1


def test_create_of_a_pending_key_keeps_it_and_inserts_the_row_with_its_user(
    request_of_a_visitor, alice, heard
):
    login(request_of_a_visitor, alice)
    session = request_of_a_visitor.session
    key = session.session_key
    session.create()
    assert session.session_key == key
    assert again(session)["_auth_user_id"] == str(alice.pk)
    session["later"] = 1
    session.save()
    assert alice.session_set.get().get_decoded()["later"] == 1
    assert heard == [("started", alice.pk)]


def test_load_of_a_pending_key_returns_what_will_be_saved(request_of_a_visitor, alice):
    login(request_of_a_visitor, alice)
    session = request_of_a_visitor.session
    key = session.session_key
    session["cart"] = [1]
    data = session.load()
    assert data == dict(session.items())
    data["cart"].append(2)
    assert session["cart"] == [1]
    assert session.session_key == key


def test_the_cookie_of_a_pending_sign_in_lives_as_long_as_a_users(
    request_of_a_visitor, alice, settings
):
    settings.WAGTAIL_USER_SESSIONS_ANONYMOUS_AGE = 60
    session = request_of_a_visitor.session
    assert session.get_session_cookie_age() == 60
    login(request_of_a_visitor, alice)
    assert session.get_session_cookie_age() == settings.SESSION_COOKIE_AGE
    assert session.get_expiry_age() == settings.SESSION_COOKIE_AGE


def test_the_asynchronous_methods_of_a_pending_key_do_the_same(
    request_of_a_visitor, alice
):
    async def walk(session):
        await alogin(request_of_a_visitor, alice)
        key = session.session_key
        assert await session.aexists(key)
        assert (await session.aload())["_auth_user_id"] == str(alice.pk)
        await session.acreate()
        assert session.session_key == key
        await session.adelete()
        return key

    session = request_of_a_visitor.session
    key = async_to_sync(walk)(session)
    assert not session.exists(key)
    assert not Session.objects.exists()


def test_for_request_in_a_sign_in_receiver_finds_the_row_of_a_pending_key(
    request_of_a_visitor, alice, heard
):
    found = []

    def note(sender, request, user, **kwargs):
        found.append(Session.objects.for_request(request).get())

    with listening(user_logged_in, note):
        login(request_of_a_visitor, alice)
    session = request_of_a_visitor.session
    session.save()
    assert found == [alice.session_set.get()]
    assert session.id == found[0].pk
    assert again(session)["_auth_user_id"] == str(alice.pk)
    assert heard == [("started", alice.pk)]


def test_the_last_pending_key_becomes_the_key_of_the_row(store):
    session = store()
    keys = []
    for _ in range(3):
        session.cycle_key()
        keys.append(session.session_key)
    session["here"] = 1
    session.save()
    assert len(set(keys)) == 3
    assert [session.exists(key) for key in keys] == [False, False, True]
    assert Session.objects.count() == 1


def test_sign_out_before_the_save_leaves_no_row(request_of_a_visitor, alice, heard):
    login(request_of_a_visitor, alice)
    logout(request_of_a_visitor)
    session = request_of_a_visitor.session
    assert session.session_key is None
    assert session.is_empty()
    session["next"] = 1
    session.save()
    assert Session.objects.get().user is None
    assert heard == []


def test_the_row_gets_the_last_user_who_signs_in_before_the_save(
    request_of_a_visitor, alice, bob, heard
):
    login(request_of_a_visitor, alice)
    request_of_a_visitor.session["alices"] = 1
    login(request_of_a_visitor, bob)
    request_of_a_visitor.session.save()
    row = Session.objects.get()
    assert row.user == bob
    assert "alices" not in row.get_decoded()
    assert heard == [("started", bob.pk)]


def test_a_response_that_fails_leaves_no_row(browser, alice, monkeypatch):
    monkeypatch.setattr("tests.views.HttpResponse", None)
    client, answer = post_login(browser)
    assert answer.status_code == 500
    assert not Session.objects.exists()
    assert "sessionid" not in client.cookies


def test_a_failed_insert_can_be_repeated(store, alice, monkeypatch):
    session = store()
    session.cycle_key()
    set_user(session, alice)

    def fail(*args, **kwargs):
        raise DatabaseError

    with monkeypatch.context() as patched:
        patched.setattr(Session, "save", fail)
        with pytest.raises(SessionRefused):
            session.save()
    session.save()
    assert alice.session_set.count() == 1
    assert again(session)["_auth_user_id"] == str(alice.pk)


def test_a_rolled_back_insert_is_repeated_with_another_key(store, alice):
    session = store()
    with transaction.atomic():
        session.cycle_key()
        set_user(session, alice)
        session.save()
        lost = session.session_key
        transaction.set_rollback(True)
    session.save()
    assert session.session_key != lost
    assert again(session)["_auth_user_id"] == str(alice.pk)
    assert alice.session_set.count() == 1


def test_sign_in_of_a_visitor_with_a_row_keeps_the_row(store, alice, statements):
    session = store()
    session["cart"] = [1]
    session.save()
    pk = session.id
    request = HttpRequest()
    request.session = again(session)
    with statements() as made:
        login(request, alice)
        request.session.save()
    assert "INSERT" not in made.verbs
    row = alice.session_set.get()
    assert (row.pk, row.get_decoded()["cart"]) == (pk, [1])
    assert not session.exists(session.session_key)


def test_a_save_after_the_end_of_the_row_inserts_nothing(request_of_a_visitor, alice):
    login(request_of_a_visitor, alice)
    session = request_of_a_visitor.session
    session.save()
    alice.session_set.all().revoke()
    session["late"] = 1
    with pytest.raises(SessionRefused):
        session.save()
    assert not Session.objects.exists()


def test_a_sign_in_whose_session_a_receiver_deletes_is_refused(browser, alice):
    def deny(sender, request, user, **kwargs):
        request.session.delete()

    with listening(user_logged_in, deny):
        client, answer = post_login(browser)
    assert answer.status_code == 400
    assert client.get("/whoami/").content == b"nobody"
    assert not Session.objects.exists()


def test_id_read_by_a_receiver_leaves_an_empty_row_if_the_sign_in_fails(
    browser, alice, heard
):
    def ask(sender, request, user, **kwargs):
        assert request.session.id is not None
        raise RuntimeError

    with listening(user_logged_in, ask):
        client, answer = post_login(browser)
    assert answer.status_code == 500
    assert "sessionid" not in client.cookies
    row = Session.objects.get()
    assert (row.user, row.get_decoded()) == (None, {})
    assert heard == []


def test_a_row_that_a_session_started_receiver_revokes_is_not_inserted_again(
    store, alice
):
    session = store()
    refused = []

    def end(sender, **kwargs):
        kwargs["session"].revoke()
        session["late"] = 1
        try:
            session.save()
        except SessionRefused as refusal:
            refused.append(refusal)

    session.cycle_key()
    set_user(session, alice)
    with listening(session_started, end):
        session.save()
    assert len(refused) == 1
    assert not Session.objects.exists()


def test_a_row_that_ends_after_a_receiver_failed_is_not_inserted_again(store, alice):
    session = store()

    def fail(sender, **kwargs):
        raise RuntimeError

    session.cycle_key()
    set_user(session, alice)
    with listening(post_save, fail, sender=Session), pytest.raises(RuntimeError):
        session.save()
    assert alice.session_set.all().revoke() == 1
    with pytest.raises(SessionRefused):
        session.save()
    assert not Session.objects.exists()


def test_id_is_none_while_the_row_is_created(store, alice):
    ids = []

    class SitesOwn(store):
        def create_model_instance(self, data):
            ids.append(self.id)
            return super().create_model_instance(data)

    session = SitesOwn()
    session.cycle_key()
    set_user(session, alice)
    session.save()
    assert ids == [None]
    assert session.id == alice.session_set.get().pk
