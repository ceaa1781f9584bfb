"""Requests that a page makes by itself, such as pings: they are no activity."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.conftest import sign_in
from wagtail_user_sessions.models import Session

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.urls_activity"),
]


@pytest.fixture(autouse=True)
def sliding_expiry(settings):
    settings.SESSION_SAVE_EVERY_REQUEST = True
    settings.WAGTAIL_USER_SESSIONS_ACTIVITY_IGNORE = ["whoami", "change"]


@pytest.fixture
def visitor(client, store, alice):
    """A client whose session expires in an hour, though it could in two weeks."""
    session = sign_in(store, alice)
    client.cookies["sessionid"] = session.session_key
    Session.objects.update(expire_date=timezone.now() + timedelta(hours=1))
    return client


def hours_left():
    return (Session.objects.get().expire_date - timezone.now()) / timedelta(hours=1)


def test_a_ping_doesnt_lengthen_the_idle_time(visitor):
    answer = visitor.get("/whoami/")
    assert answer.status_code == 200
    assert hours_left() < 1
    assert "sessionid" not in answer.cookies
    assert "Cookie" in answer["Vary"]


def test_an_activity_of_the_user_lengthens_the_idle_time(visitor):
    assert "sessionid" in visitor.get("/awhoami/").cookies
    assert hours_left() > 24


def test_a_ping_that_changes_the_session_is_saved(visitor):
    visitor.get("/change/?to=x")
    assert Session.objects.get().get_decoded()["value"] == "x"


def test_a_ping_with_the_cookie_of_an_ended_session_removes_the_cookie(visitor):
    Session.objects.all().delete()
    answer = visitor.get("/whoami/")
    assert answer.cookies["sessionid"]["max-age"] == 0
    assert not Session.objects.exists()


def test_a_ping_without_a_session_makes_none(client, store):
    answer = client.get("/whoami/")
    assert "sessionid" not in answer.cookies
    assert not Session.objects.exists()
