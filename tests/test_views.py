"""The devices page, and the page of a session that has ended."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path
from django.utils import timezone

from wagtail_user_sessions.models import Session

handler400 = "wagtail_user_sessions.views.bad_request"


def interrupt(request):
    assert request.user is not None
    raise SessionInterrupted("x")


def bad(request):
    raise BadRequest("x")


def set_and_end(request):
    request.session["x"] = 1
    request.session.keys()
    Session.objects.all().delete()
    return HttpResponse("ok")


urlpatterns = [
    path("devices/", include("wagtail_user_sessions.urls")),
    path("interrupt/", interrupt),
    path("bad/", bad),
    path("set/", set_and_end),
]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]
URL = "/devices/"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"


@pytest.fixture
def user(db):
    return get_user_model().objects.create_user("ann", password="pw")


def signed_in(user):
    client = Client(headers={"user-agent": CHROME}, REMOTE_ADDR="192.0.2.7")
    client.force_login(user)
    client.get(URL)
    return client


def test_asks_to_sign_in(client, engine):
    response = client.get(URL)
    assert response.status_code == 302
    assert response.url == "/login/?next=/devices/"
    assert "no-store" in response["Cache-Control"]


def test_asks_to_sign_in_under_djangos_login_required_middleware(
    client, engine, settings, user
):
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    assert client.get(URL).url == "/login/?next=/devices/"
    assert signed_in(user).get(URL).status_code == 200


@pytest.mark.parametrize("count", [1, 7])
def test_the_devices_page_takes_the_same_queries_for_any_number_of_rows(
    engine, user, count, django_assert_num_queries
):
    clients = [signed_in(user) for _ in range(count)]
    # The session (a copy of it under cached_db), the user, the rows.
    n = 3 if engine.__name__.endswith(".db") else 2
    clients[0].get(URL)
    with django_assert_num_queries(n):
        response = clients[0].get(URL)
    assert len(response.context["sessions"]) == count
    assert response["Cache-Control"].split(", ").count("no-store") == 1


def test_order_and_mark(engine, user):
    a, b, c = (signed_in(user) for _ in range(3))
    ids = [x.session.id for x in (a, b, c)]
    Session.objects.filter(pk=ids[0]).update(
        last_activity=timezone.now() - timedelta(hours=3)
    )
    Session.objects.filter(pk=ids[1]).update(
        last_activity=timezone.now() - timedelta(seconds=30)
    )
    Session.objects.filter(pk=ids[2]).update(
        last_activity=timezone.now() - timedelta(seconds=20)
    )
    r = b.get(URL)
    assert [s.pk for s in r.context["sessions"]] == [ids[1], ids[2], ids[0]]
    html = r.content.decode()
    assert html.count("This device") == 1
    assert "Chrome on Windows" in html
    assert "192.0.2.7" in html
    assert b.cookies["sessionid"].value not in html


def test_shows_no_row_that_wouldnt_be_let_in(engine, user):
    a, b = signed_in(user), signed_in(user)
    Session.objects.filter(pk=b.session.id).update(auth_digest=b"0" * 16)
    assert [s.pk for s in a.get(URL).context["sessions"]] == [a.session.id]
    other = get_user_model().objects.create_user("bob", password="pw")
    signed_in(other)
    assert len(a.get(URL).context["sessions"]) == 1


def test_interrupted(engine, user, client):
    c = signed_in(user)
    c.raise_request_exception = False
    r = c.post("/set/")
    assert r.status_code == 400
    assert "Sign in again" in r.content.decode()
    assert 'href="/login/"' in r.content.decode()
    assert "no-store" in r["Cache-Control"]
    c = signed_in(user)
    r = c.post("/interrupt/")
    assert r.status_code == 400
    assert "Your session has ended" in r.content.decode()
    assert not r.context["user"].is_authenticated
    r = c.get("/bad/")
    assert r.status_code == 400
    assert "Sign in again" not in r.content.decode()
    assert c.post(URL).status_code == 405
