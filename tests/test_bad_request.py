"""The 400 page for a request whose session has ended meanwhile."""

import pytest
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.urls import path

from tests.urls_devices_page import make_user, signed_in, urlpatterns
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
    *urlpatterns,
    path("interrupt/", interrupt),
    path("bad/", bad),
    path("set/", set_and_end),
]
pytestmark = [
    pytest.mark.urls(__name__),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("engine"),
]


@pytest.fixture
def here(db):
    client = signed_in(make_user())
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("url", ["/set/", "/interrupt/"])
def test_a_form_whose_session_has_ended_leads_to_the_login(here, url):
    page = here.post(url)
    assert page.status_code == 400
    assert "Your session has ended" in page.content.decode()
    assert 'href="/login/"' in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert not page.context["user"].is_authenticated


def test_any_other_bad_request_gets_djangos_response(here):
    page = here.get("/bad/")
    assert page.status_code == 400
    assert "Bad Request" in page.content.decode()
    assert "session" not in page.content.decode()
