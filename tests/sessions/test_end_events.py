"""End events: of each way to end a session, on both engines."""

import logging

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import transaction
from django.test import Client

from tests.conftest import listening, sign_in
from wagtail_user_sessions.models import Reason, Session
from wagtail_user_sessions.signals import session_ended, session_started

pytestmark = pytest.mark.django_db(transaction=True)


def by_sign_out(client, user):
    client.post("/logout/")


def by_asynchronous_sign_out(client, user):
    client.post("/alogout/")


def by_command(client, user):
    call_command("revoke_sessions", user=["alice"], verbosity=0)


def by_command_for_all(client, user):
    call_command("revoke_sessions", all=True, verbosity=0)


def by_expiry_and_clean_up(client, user):
    session = client.session
    session.set_expiry(-1)
    session.save()
    call_command("clearsessions", verbosity=0)


# Each way to end a session, with its end reason.
WAYS = {
    by_sign_out: Reason.SIGNED_OUT,
    by_asynchronous_sign_out: Reason.SIGNED_OUT,
    by_command: Reason.REVOKED,
    by_command_for_all: Reason.REVOKED,
    by_expiry_and_clean_up: Reason.EXPIRED,
    lambda client, user: user.session_set.all().delete(): Reason.DELETED,
    lambda client, user: user.session_set.get().delete(): Reason.DELETED,
    lambda client, user: user.session_set.all().revoke(): Reason.REVOKED,
    lambda client, user: user.session_set.get().revoke(): Reason.REVOKED,
    lambda client, user: Session.objects.for_user(user).revoke(): Reason.REVOKED,
    lambda client, user: user.delete(): Reason.USER_DELETED,
    lambda client, user: get_user_model().objects.all().delete(): Reason.USER_DELETED,
}


@pytest.fixture
def ended():
    """What the receivers of ``session_ended`` get."""
    received = []

    def listen(sender, session, reason, actor, **kwargs):
        received.append((sender, session.pk, session.user_id, reason, actor))

    session_ended.connect(listen)
    yield received
    session_ended.disconnect(listen)


@pytest.fixture
def ready(browser, alice):
    """A client of alice, whose session was loaded before: a cache may have a copy."""
    client = browser(alice)
    for _ in range(3):
        assert client.get("/whoami/").content == b"alice"
    return client


@pytest.mark.parametrize("end", WAYS)
def test_an_ended_session_is_refused_by_the_next_request(ready, alice, end):
    key = ready.cookies["sessionid"].value
    end(ready, alice)
    thief = Client()
    thief.cookies["sessionid"] = key
    assert thief.get("/whoami/").content == b"nobody"
    assert not Session.objects.exists()


@pytest.mark.parametrize("end", WAYS)
def test_session_ended_is_sent_once_with_the_end_reason(ready, alice, end, ended):
    row, user_id = alice.session_set.get(), alice.pk
    end(ready, alice)
    assert [entry[:4] for entry in ended] == [(Session, row.pk, user_id, WAYS[end])]


def test_session_ended_and_the_log_have_reason_and_user(
    ready, alice, bob, ended, caplog
):
    caplog.set_level(logging.INFO, logger="wagtail_user_sessions")
    row = alice.session_set.get()
    row.revoke(by=bob, reason="lost phone")
    assert ended == [(Session, row.pk, alice.pk, "lost phone", bob)]
    assert f"Session {row.pk} of user {alice.pk} ended: lost phone" in caplog.text
    assert ready.cookies["sessionid"].value not in caplog.text


def test_a_sign_out_names_the_user_as_its_actor(ready, alice, ended):
    ready.post("/logout/")
    assert ended[0][4] == alice


def test_session_ended_is_sent_on_commit_only(ready, alice, ended):
    with transaction.atomic():
        alice.session_set.all().revoke()
        assert ended == []
    assert len(ended) == 1


def test_session_ended_is_not_sent_for_a_rolled_back_deletion(
    ready, alice, ended, caplog
):
    caplog.set_level(logging.INFO, logger="wagtail_user_sessions")
    with transaction.atomic():
        alice.session_set.all().revoke()
        transaction.set_rollback(True)
    assert ended == []
    assert "ended" not in caplog.text
    assert ready.get("/whoami/").content == b"alice"


def test_session_ended_gets_a_row_with_its_client_columns(ready, ended):
    columns = []

    def listen(session, **kwargs):
        columns.append((session.browser, session.ip, session.name, session.created_at))

    with listening(session_ended, listen):
        ready.post("/logout/")
    assert columns[0][:3] == ("Chrome", "192.0.2.1", "")


def test_a_receiver_that_fails_keeps_no_session_alive(ready, alice):
    def fail(**kwargs):
        raise ValueError

    with listening(session_ended, fail), listening(session_started, fail):
        ready.post("/logout/")
    assert not alice.session_set.exists()


def test_revoke_returns_the_number_of_ended_sessions(browser, alice, bob):
    for user in (alice, alice, bob):
        browser(user)
    assert Session.objects.for_user(alice).revoke() == 2
    assert Session.objects.for_user(alice).revoke() == 0
    assert bob.session_set.get().revoke() == 1


def test_session_started_is_sent_once_when_a_row_gets_its_user(browser, alice):
    received = []

    def listen(sender, session, **kwargs):
        received.append((sender, session.user_id, session.browser))

    with listening(session_started, listen):
        client = browser()
        client.get("/change/")
        assert received == []
        credentials = {"username": "alice", "password": "secret"}
        client.post("/login/", credentials)
        assert received == [(Session, alice.pk, "Chrome")]
        client.get("/change/?to=more")
        client.post("/login/", credentials)
    assert len(received) == 1


def test_session_started_is_not_sent_for_a_rolled_back_sign_in(store, alice):
    received = []

    def listen(**kwargs):
        received.append(kwargs)

    with listening(session_started, listen), transaction.atomic():
        sign_in(store, alice)
        transaction.set_rollback(True)
    assert received == []


def test_other_models_get_no_receiver_of_deletions():
    from django.contrib.contenttypes.models import ContentType
    from django.db.models.signals import post_delete

    assert not post_delete.has_listeners(ContentType)


def test_session_ended_gets_the_row_as_it_was_when_deleted(store, alice):
    session = sign_in(store, alice)
    received = []

    def listen(session, **kwargs):
        received.append((session.pk, session.user_id))

    with listening(session_ended, listen), transaction.atomic():
        row = session.row
        pk = row.pk
        session.flush()
        row.pk = row.user_id = None
    assert received == [(pk, alice.pk)]
