"""URLs of a site with a devices page, and functions that read that page."""

import re

from django.contrib.auth import get_user_model
from django.contrib.auth.views import PasswordChangeView
from django.test import Client
from django.urls import include, path

from tests import views
from tests.conftest import CHROME

URL = "/devices/"
HTMX = {"HX-Request": "true"}
BOOSTED = {**HTMX, "HX-Boosted": "true"}
FROM_HISTORY = {**HTMX, "HX-History-Restore-Request": "true"}

handler400 = "wagtail_user_sessions.views.bad_request"
urlpatterns = [
    path("devices/", include("wagtail_user_sessions.urls")),
    path("login/", views.sign_in, name="login"),
    path("password/", PasswordChangeView.as_view(), name="password_change"),
    path("read/", views.read),
]


def make_user(name="ann"):
    return get_user_model().objects.create_user(name, password="secret")


def signed_in(user, *, agent=CHROME, **options):
    client = Client(headers={"user-agent": agent}, REMOTE_ADDR="192.0.2.7", **options)
    client.force_login(user)
    # The first request writes the client columns of the row.
    client.get("/read/")
    return client


def id_of(client):
    return client.session.id


def revoke_url(client):
    return f"{URL}{id_of(client)}/revoke/"


def rename_url(client):
    return f"{URL}{id_of(client)}/rename/"


def listed(response):
    return [device.id for device in response.context["devices"]]


def fields(response, action):
    """Return the hidden fields of the form whose action is this URL."""
    html = response.content.decode()
    form = re.search(f'<form[^>]* action="{re.escape(action)}".*?</form>', html, re.S)
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[0]))


def proof(client, of):
    """Return the fields of the form with which `client` confirms to revoke `of`."""
    page = client.get(URL, {"confirm": str(id_of(of))})
    return fields(page, revoke_url(of))


def is_signed_in(client):
    return client.get(URL).status_code == 200


def said(response):
    """Return the messages in the live region; None if the page has no region."""
    html = response.content.decode()
    region = re.search(r'<div id="wus-message".*?</div>', html, re.S)
    return re.findall(r"<p[^>]*>(.*?)</p>", region[0], re.S) if region else None


def focused(response):
    """Return the ids, or else the classes, of the elements that get the focus."""
    html = response.content.decode()
    tags = re.findall(r"<[^>]* (?:autofocus|data-wus-focus)[^>]*>", html)
    return [re.search(r'(?:id|class)="([^"]*)"', tag)[1] for tag in tags]
