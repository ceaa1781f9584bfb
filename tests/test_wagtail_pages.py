"""The devices page in Wagtail's page tree."""

import uuid

import pytest
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import include, path
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.models import Locale, Page, PageViewRestriction, Site

from tests.models import DevicesPage
from tests.urls_devices_page import (
    HTMX,
    fields,
    focused,
    id_of,
    listed,
    make_user,
    said,
    signed_in,
    urlpatterns,
)
from wagtail_user_sessions.models import Session

urlpatterns = [
    *urlpatterns,
    path("admin/", include(wagtailadmin_urls)),
    path("", include(wagtail_urls)),
]
pytestmark = [
    pytest.mark.urls(__name__),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("engine"),
]
URL = "/where/"


@pytest.fixture
def page(db):
    # A test that flushed the tables has deleted the rows of the migrations.
    Locale.objects.get_or_create(language_code="en")
    ContentType.objects.clear_cache()
    root = Page.get_first_root_node() or Page.add_root(title="Root", slug="root")
    page = DevicesPage(
        title="Where am I?", slug="where", introduction="<p>Look <b>here</b>.</p>"
    )
    home = root.add_child(instance=Page(title="Home", slug=f"home-{uuid.uuid4().hex}"))
    home.add_child(instance=page)
    Site.objects.update_or_create(
        hostname="testserver", defaults={"root_page": home, "is_default_site": True}
    )
    return page


@pytest.fixture
def here(page):
    return signed_in(make_user())


def url_of(client, action):
    return f"{URL}{id_of(client)}/{action}/"


def another(here):
    return signed_in(get_user_model().objects.get(username="ann"))


def test_the_page_has_the_editors_title_and_introduction(here):
    response = here.get(URL)
    assert response.status_code == 200
    html = response.content.decode()
    assert "<h1>Where am I?</h1>" in html
    assert "<title>Where am I?</title>" in html
    assert "<p>Look <b>here</b>.</p>" in html
    assert listed(response) == [id_of(here)]


def test_the_actions_stay_at_the_urls_of_the_page(here):
    there = another(here)
    page = here.get(URL, {"confirm": id_of(there)})
    data = fields(page, url_of(there, "revoke"))
    response = here.post(url_of(there, "rename"), {"name": "Kitchen"}, headers=HTMX)
    assert said(response) == ["The device is now called Kitchen."]
    response = here.post(url_of(there, "revoke"), data, headers=HTMX)
    assert said(response) == ["Signed out: Kitchen."]
    assert focused(response) == ["wus-summary"]
    assert f'hx-get="{URL}?refresh=1"' in response.content.decode()
    another(here)
    assert here.post(f"{URL}revoke-others/").url == URL
    assert Session.objects.count() == 1


def test_a_visitor_of_the_page_is_sent_to_the_login(page):
    assert Client().get(URL).url == f"/login/?next={URL}"
    response = Client().get(URL, headers=HTMX)
    assert response["HX-Redirect"] == f"/login/?next={URL}"


def test_foreign_and_unknown_ids_are_not_found_on_the_page(here):
    bob = signed_in(make_user("bob"))
    assert here.post(url_of(bob, "revoke")).status_code == 404
    assert here.post(f"{URL}{uuid.uuid4()}/rename/").status_code == 404
    assert Session.objects.filter(pk=id_of(bob)).exists()


def test_no_response_of_the_page_is_cached(here, page):
    there = another(here)
    for response in (
        here.get(URL),
        here.get(URL, headers=HTMX),
        here.get(url_of(there, "revoke")),
        here.post(url_of(there, "revoke"), headers=HTMX),
        here.post(f"{URL}{uuid.uuid4()}/revoke/"),
        Client().get(URL),
    ):
        assert "no-store" in response["Cache-Control"]
        assert "HX-Request" in response["Vary"]
    assert page.get_cached_paths() == []


def test_get_requests_of_actions_change_nothing(here):
    there = another(here)
    for action, open_part in (("revoke", "confirm"), ("rename", "rename")):
        response = here.get(url_of(there, action))
        assert response.url == f"{URL}?{open_part}={id_of(there)}"
    assert here.get(f"{URL}revoke-others/").url == f"{URL}?confirm=others"
    assert Session.objects.count() == 2


def test_the_preview_shows_examples_without_actions(here, page):
    page.title = "Not published yet"
    response = page.make_preview_request(here.get(URL).wsgi_request)
    html = response.content.decode()
    assert response.status_code == 200
    assert "Not published yet" in html
    assert "<p>Look <b>here</b>.</p>" in html
    assert "Safari on iPhone" in html
    assert " inert>" in html
    assert 'method="post"' not in html
    assert "<script" not in html
    assert str(id_of(here)) not in html
    assert "private" in response["Cache-Control"]


def test_a_page_that_has_not_been_saved_has_a_preview(page):
    draft = DevicesPage(title="Draft", slug="draft")
    response = draft.make_preview_request()
    assert response.status_code == 200
    assert "Draft" in response.content.decode()


def test_a_site_may_give_the_page_a_template_of_its_own(here, settings, tmp_path):
    template = tmp_path / "tests" / "devices_page.html"
    template.parent.mkdir()
    template.write_text("Own: {{ page.title }}, {{ devices.count }}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    assert here.get(URL).content == b"Own: Where am I?, 1"


def test_the_template_of_the_page_may_be_one_of_several(here, monkeypatch):
    names = ["tests/none.html", "wagtail_user_sessions/session_interrupted.html"]
    monkeypatch.setattr(DevicesPage, "get_template", lambda *args: names)
    assert "Your session has ended" in here.get(URL).content.decode()


def test_the_actions_have_urls_without_wagtail_append_slash(here, settings):
    settings.WAGTAIL_APPEND_SLASH = False
    there = another(here)
    page = here.get(URL, {"confirm": id_of(there)}).content.decode()
    assert f'action="{url_of(there, "revoke")}"' in page


def test_the_restrictions_of_the_page_tree_hold(here, page):
    PageViewRestriction.objects.create(page=page, restriction_type="groups")
    response = here.get(URL)
    assert response.status_code == 302
    assert "login" in response.url


def test_a_template_of_the_sites_own_has_the_pages_own_list(
    here, page, settings, tmp_path
):
    template = tmp_path / "tests" / "devices_page.html"
    template.parent.mkdir()
    template.write_text("{% load wagtail_user_sessions %}{% device_list %}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    assert f'action="{URL}"' in here.get(URL).content.decode()
    preview = page.make_preview_request(here.get(URL).wsgi_request)
    assert " inert>" in preview.content.decode()


def test_a_visitor_is_sent_to_the_login_of_wagtails_private_pages(page, settings):
    settings.WAGTAIL_FRONTEND_LOGIN_URL = "/front/"
    assert Client().get(URL).url == f"/front/?next={URL}"


def test_the_seo_title_is_the_title_of_the_browser_tab(here, page):
    page.seo_title = "Devices of yours"
    page.save()
    html = here.get(URL).content.decode()
    assert "<title>Devices of yours</title>" in html
    assert "<h1>Where am I?</h1>" in html
