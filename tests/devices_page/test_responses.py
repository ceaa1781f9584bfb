"""Responses of the devices page: whole pages, fragments, messages, refreshes."""

import uuid
from datetime import timedelta

import pytest
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from tests.devices_page.page import REVOKE_OTHERS_URL, ago, change, text
from tests.urls_devices_page import (
    BOOSTED,
    FROM_HISTORY,
    HTMX,
    URL,
    focused,
    id_of,
    listed,
    proof,
    rename_url,
    revoke_url,
    said,
    signed_in,
)
from wagtail_user_sessions.models import Session

pytestmark = [
    pytest.mark.urls("tests.urls_devices_page"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("engine"),
]


def without_csrf_token(here):
    """Return the same browser, whose CSRF token was rotated in another tab."""
    client = Client(enforce_csrf_checks=True)
    client.cookies["sessionid"] = here.cookies["sessionid"].value
    return client


def every_response(here, there):
    """Yield the responses of each view to each kind of request."""
    for kind in ({}, HTMX, BOOSTED, FROM_HISTORY):
        yield here.get(URL, headers=kind)
        yield here.get(URL, {"confirm": id_of(there)}, headers=kind)
        yield here.get(URL, {"refresh": "1"}, headers=kind)
        yield here.post(URL, headers=kind)
        yield here.post(rename_url(there), {"name": "x"}, headers=kind)
        yield here.post(rename_url(there), {"name": "x" * 99}, headers=kind)
        yield here.post(f"{URL}{uuid.uuid4()}/revoke/", headers=kind)
        yield here.get(revoke_url(there), headers=kind)
        yield Client().get(URL, headers=kind)
        yield Client().post(REVOKE_OTHERS_URL, headers=kind)
        yield without_csrf_token(here).post(REVOKE_OTHERS_URL, headers=kind)
    yield here.post(revoke_url(there))
    yield here.post(REVOKE_OTHERS_URL, headers=HTMX)
    yield here.post(revoke_url(here), headers=HTMX)


def test_no_response_is_cached_and_each_varies_by_hx_request(here, there):
    for response in every_response(here, there):
        assert "no-store" in response["Cache-Control"]
        assert "HX-Request" in response["Vary"]


def test_no_response_contains_a_session_key(here, there):
    keys = [client.cookies["sessionid"].value for client in (here, there)]
    for response in every_response(here, there):
        sent = response.content.decode() + str(response.headers)
        assert not any(key in sent for key in keys)


def test_get_and_head_requests_change_nothing(here, there):
    before = list(Session.objects.order_by("pk").values())
    for url in (
        revoke_url(there),
        rename_url(there),
        REVOKE_OTHERS_URL,
        revoke_url(here),
    ):
        assert here.get(url).status_code == 302
        assert here.head(url).status_code == 302
        assert here.delete(url).status_code == 405
    for query in ("confirm=others", "rename=x", f"confirm={id_of(there)}", "more=50"):
        here.get(f"{URL}?{query}")
    assert list(Session.objects.order_by("pk").values()) == before


@pytest.mark.parametrize(
    ("kind", "is_page"),
    [({}, True), (HTMX, False), (BOOSTED, True), (FROM_HISTORY, True)],
)
def test_only_a_fragment_request_gets_a_fragment(here, kind, is_page):
    page = here.get(URL, headers=kind).content.decode()
    assert ("<html" in page) == is_page
    assert page.count('id="wus-list"') == 1


def test_an_action_keeps_the_length_of_the_list(ann, here):
    others = [signed_in(ann) for _ in range(30)]
    page = here.get(URL, {"shown": "50", "confirm": str(id_of(others[0]))})
    assert f'{revoke_url(others[0])}?shown=50"' in page.content.decode()
    page = here.post(f"{revoke_url(others[0])}?shown=50", headers=HTMX)
    assert len(listed(page)) == 30
    assert here.post(f"{revoke_url(others[1])}?shown=50").url == f"{URL}?shown=50"


def test_without_javascript_the_next_page_shows_the_message(here, there):
    response = here.post(revoke_url(there))
    assert response.url == URL
    assert said(here.get(URL)) == ["Signed out: Chrome on Windows."]
    assert said(here.get(URL)) == []


def test_a_message_that_the_sites_own_base_shows_is_not_shown_twice(
    here, there, settings, tmp_path
):
    base = tmp_path / "wagtail_user_sessions" / "base.html"
    base.parent.mkdir()
    base.write_text("{{ messages|join:'' }}{% block content %}{% endblock %}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    here.post(revoke_url(there))
    page = here.get(URL)
    assert page.content.startswith(b"Signed out: Chrome on Windows.")
    assert said(page) == []


def test_a_template_may_read_the_notices_twice(here, there, settings, tmp_path):
    partial = tmp_path / "wagtail_user_sessions" / "partials" / "message.html"
    partial.parent.mkdir(parents=True)
    partial.write_text("{% if notices %}({{ notices|join:'' }}){% endif %}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    here.post(revoke_url(there))
    assert "(Signed out: Chrome on Windows.)" in here.get(URL).content.decode()


@pytest.mark.parametrize("open_part", ["confirm", "rename"])
def test_a_refresh_shows_the_list_if_the_open_device_has_gone(here, there, open_part):
    url = f"{URL}?{open_part}={id_of(there)}&refresh=1"
    there.session.delete()
    page = here.get(url, headers=HTMX)
    assert page.status_code == 200
    assert listed(page) == [id_of(here)]
    assert said(page) is None


def test_a_refresh_shows_no_message_and_takes_no_focus(here, there):
    page = here.get(f"{URL}?confirm={id_of(there)}&refresh=1", headers=HTMX)
    assert said(page) is None
    assert focused(page) == []
    assert "Sign out Chrome on Windows?" in text(page)


def test_a_refresh_is_no_activity(here, settings):
    settings.SESSION_SAVE_EVERY_REQUEST = True
    here.get(URL)
    change(here, last_activity=ago(hours=1), expire_date=timezone.now() + timedelta(1))
    before = Session.objects.values("last_activity", "expire_date").get()
    assert here.get(URL, {"refresh": "1"}, headers=HTMX).status_code == 200
    assert Session.objects.values("last_activity", "expire_date").get() == before
    # Without the header of htmx the parameter alone makes no refresh.
    here.get(URL, {"refresh": "1"})
    after = Session.objects.values("last_activity", "expire_date").get()
    assert after["last_activity"] > before["last_activity"]
    assert after["expire_date"] > before["expire_date"]


def test_a_message_keeps_its_css_class_with_message_tags(here, settings):
    settings.MESSAGE_TAGS = {messages.SUCCESS: "alert-success"}
    there = signed_in(get_user_model().objects.get(username="ann"))
    data = proof(here, there)
    page = here.post(revoke_url(there), data, headers=HTMX).content.decode()
    assert "wus-notice wus-notice--success" in page
