"""The tag ``{% device_list %}`` in a page of the site's own."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.template import Context, RequestContext, Template
from django.test import Client
from django.urls import path

from tests.urls_devices_page import (
    HTMX,
    URL,
    id_of,
    listed,
    make_user,
    proof,
    revoke_url,
    signed_in,
    urlpatterns,
)

PAGE = Template(
    "{% load wagtail_user_sessions %}<h1>Account</h1>{% device_list %}<p>End</p>"
)


def account(request):
    return HttpResponse(PAGE.render(RequestContext(request)))


urlpatterns = [*urlpatterns, path("account/", account)]
pytestmark = [
    pytest.mark.urls(__name__),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("engine"),
]


def test_the_tag_puts_the_list_and_its_assets_into_any_page(client):
    user = make_user()
    here, there = signed_in(user), signed_in(user)
    page = here.get("/account/").content.decode()
    assert page.startswith("<h1>Account</h1>")
    assert page.endswith("<p>End</p>")
    assert f'id="wus-{id_of(there)}"' in page
    assert "wagtail_user_sessions/devices.css" in page
    assert 'data-htmx="/static/django_htmx/htmx-2.min.js"' in page
    assert "<html" not in page


def test_the_forms_of_the_tag_are_those_of_the_devices_page(client):
    user = make_user()
    here, there = signed_in(user), signed_in(user)
    assert f'action="{URL}"' in here.get("/account/").content.decode()
    response = here.post(revoke_url(there), proof(here, there), headers=HTMX)
    assert listed(response) == [id_of(here)]


def test_the_tag_shows_nothing_to_a_visitor():
    page = Client().get("/account/").content.decode()
    assert page.split() == ["<h1>Account</h1>", "<p>End</p>"]


def test_the_tag_without_a_request_names_the_context_processor():
    with pytest.raises(ImproperlyConfigured, match="context processor"):
        PAGE.render(Context())


def test_without_django_htmx_the_tag_has_no_url_of_htmx(monkeypatch):
    monkeypatch.setattr("django.apps.apps.is_installed", lambda name: False)
    page = signed_in(make_user()).get("/account/").content.decode()
    assert "devices.js" in page
    assert "data-htmx" not in page


def test_in_a_preview_the_tag_shows_examples_without_actions(rf):
    request = rf.get("/account/")
    request.is_preview = True
    page = account(request).content.decode()
    assert "Safari on iPhone" in page
    assert " inert>" in page
    assert "<form" not in page or 'method="post"' not in page


@pytest.mark.parametrize(
    ("ip", "text"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::7", "2001:<wbr>db8::<wbr>7"),
        ("<b>:", "&lt;b&gt;:"),
    ],
)
def test_breakable_puts_wbr_between_the_groups_of_an_address(ip, text):
    page = Template("{% load wagtail_user_sessions %}{{ ip|breakable }}")
    assert page.render(Context({"ip": ip})) == text
