"""The end of a session, by every road there is, on both engines."""

import logging
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.utils import timezone

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


# Each road with the reason that is told.
ROADS = {
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
    """What ``session_ended`` has told."""
    told = []

    def listen(sender, session, reason, actor, **kwargs):
        told.append((sender, session.pk, session.user_id, reason, actor))

    session_ended.connect(listen)
    yield told
    session_ended.disconnect(listen)


@pytest.fixture
def ready(browser, alice):
    """A client of alice, whose session the cache knows where there is one."""
    client = browser(alice)
    for _ in range(3):
        assert client.get("/whoami/").content == b"alice"
    return client


@pytest.mark.parametrize("road", ROADS)
def test_an_ended_session_is_refused_by_the_next_request(ready, alice, road):
    key = ready.cookies["sessionid"].value
    road(ready, alice)
    thief = Client()
    thief.cookies["sessionid"] = key
    assert thief.get("/whoami/").content == b"nobody"
    assert not Session.objects.exists()


@pytest.mark.parametrize("road", ROADS)
def test_the_end_of_a_session_is_told_once_with_its_reason(ready, alice, road, ended):
    row, user_id = alice.session_set.get(), alice.pk
    road(ready, alice)
    assert [entry[:4] for entry in ended] == [(Session, row.pk, user_id, ROADS[road])]


def test_an_end_is_told_with_its_actor_and_logged(ready, alice, bob, ended, caplog):
    caplog.set_level(logging.INFO, logger="wagtail_user_sessions")
    row = alice.session_set.get()
    row.revoke(by=bob, reason="lost phone")
    assert ended == [(Session, row.pk, alice.pk, "lost phone", bob)]
    assert f"Session {row.pk} of user {alice.pk} ended: lost phone" in caplog.text
    assert ready.cookies["sessionid"].value not in caplog.text


def test_a_sign_out_names_the_user_as_its_actor(ready, alice, ended):
    ready.post("/logout/")
    assert ended[0][4] == alice


def test_an_end_is_told_on_commit_only(ready, alice, ended):
    with transaction.atomic():
        alice.session_set.all().revoke()
        assert ended == []
    assert len(ended) == 1


def test_an_end_that_is_rolled_back_is_not_told(ready, alice, ended, caplog):
    caplog.set_level(logging.INFO, logger="wagtail_user_sessions")
    with transaction.atomic():
        alice.session_set.all().revoke()
        transaction.set_rollback(True)
    assert ended == []
    assert "ended" not in caplog.text
    assert ready.get("/whoami/").content == b"alice"


def test_a_row_that_is_told_of_still_has_all_its_facts(ready, ended):
    facts = []

    def listen(session, **kwargs):
        facts.append((session.browser, session.ip, session.name, session.created_at))

    with listening(session_ended, listen):
        ready.post("/logout/")
    assert facts[0][:3] == ("Chrome", "192.0.2.1", "")


def test_a_receiver_that_fails_keeps_nobody_signed_in(ready, alice):
    def fail(**kwargs):
        raise ValueError

    with listening(session_ended, fail), listening(session_started, fail):
        ready.post("/logout/")
    assert not alice.session_set.exists()


def test_revoke_counts_what_it_ended(browser, alice, bob):
    for user in (alice, alice, bob):
        browser(user)
    assert Session.objects.for_user(alice).revoke() == 2
    assert Session.objects.for_user(alice).revoke() == 0
    assert bob.session_set.get().revoke() == 1


def test_a_start_is_told_when_a_row_gets_its_user(browser, alice):
    told = []

    def listen(sender, session, **kwargs):
        told.append((sender, session.user_id, session.browser))

    with listening(session_started, listen):
        client = browser()
        client.get("/change/")
        assert told == []
        credentials = {"username": "alice", "password": "secret"}
        client.post("/login/", credentials)
        assert told == [(Session, alice.pk, "Chrome")]
        client.get("/change/?to=more")
        client.post("/login/", credentials)
    assert len(told) == 1


def test_a_start_that_is_rolled_back_is_not_told(store, alice):
    told = []

    def listen(**kwargs):
        told.append(kwargs)

    with listening(session_started, listen), transaction.atomic():
        sign_in(store, alice)
        transaction.set_rollback(True)
    assert told == []


def test_the_deletion_of_other_models_is_as_fast_as_before():
    from django.contrib.contenttypes.models import ContentType
    from django.db.models.signals import post_delete

    assert not post_delete.has_listeners(ContentType)


def test_active_and_expired_tell_sessions_apart(store, alice):
    current, past = sign_in(store, alice), sign_in(store, alice)
    Session.objects.for_key(past.session_key).update(
        expire_date=timezone.now() - timedelta(seconds=1)
    )
    assert [row.pk for row in Session.objects.active()] == [current.id]
    assert Session.objects.expired().count() == 1
    assert not Session.objects.expired().get().is_active
    assert alice.session_set.filter(expire_date__gt=timezone.now()).count() == 1


def test_what_is_told_of_a_row_is_as_it_was(store, alice):
    session = sign_in(store, alice)
    told = []

    def listen(session, **kwargs):
        told.append((session.pk, session.user_id))

    with listening(session_ended, listen), transaction.atomic():
        row = session.row
        pk = row.pk
        session.flush()
        row.pk = row.user_id = None
    assert told == [(pk, alice.pk)]
