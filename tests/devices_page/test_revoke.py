"""Signing out one device, the current one, and all others."""

import pytest

from tests.devices_page.page import REVOKE_OTHERS_URL, ago, change, text
from tests.urls_devices_page import (
    HTMX,
    URL,
    focused,
    id_of,
    is_signed_in,
    listed,
    make_user,
    proof,
    revoke_url,
    said,
    signed_in,
)
from wagtail_user_sessions.devices_page.own_sessions import OwnSessions
from wagtail_user_sessions.models import Session

pytestmark = [
    pytest.mark.urls("tests.urls_devices_page"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("engine"),
]


def test_signing_a_device_out_refuses_its_next_request(here, there):
    page = here.post(revoke_url(there), headers=HTMX)
    assert listed(page) == [id_of(here)]
    assert said(page) == ["Signed out: Chrome on Windows."]
    assert focused(page) == ["wus-summary"]
    assert not is_signed_in(there)
    assert is_signed_in(here)


def test_the_focus_goes_to_the_device_that_took_the_rows_place(ann, here):
    first, second, third = (signed_in(ann) for _ in range(3))
    for hours, client in enumerate((first, second, third), start=1):
        change(client, last_activity=ago(hours=hours))
    page = here.post(revoke_url(second), headers=HTMX)
    assert focused(page) == [f"wus-sign-out-{id_of(third)}"]
    page = here.post(revoke_url(third), headers=HTMX)
    assert focused(page) == [f"wus-sign-out-{id_of(first)}"]


@pytest.mark.parametrize("kind", [{}, HTMX])
def test_signing_out_a_device_that_has_gone_says_so(here, there, kind):
    data = proof(here, there)
    url = revoke_url(there)
    there.session.delete()
    page = here.post(url, data, headers=kind)
    if not kind:
        assert page.url == URL
        page = here.get(URL)
    assert said(page) == ["That device is already signed out."]
    assert listed(page) == [id_of(here)]


def test_signing_out_this_device_logs_out(here, there):
    pk = id_of(here)
    response = here.post(revoke_url(here), headers=HTMX)
    assert response["HX-Redirect"] == "/"
    assert not Session.objects.filter(pk=pk).exists()
    assert not is_signed_in(here)
    assert is_signed_in(there)


@pytest.mark.parametrize("kind", [{}, HTMX])
def test_signing_out_this_device_logs_out_if_it_has_just_ended(here, kind, monkeypatch):
    pk = id_of(here)
    original_init = OwnSessions.__init__

    def init_and_delete(self, request):
        original_init(self, request)
        Session.objects.filter(pk=pk).delete()

    monkeypatch.setattr(OwnSessions, "__init__", init_and_delete)
    response = here.post(f"{URL}{pk}/revoke/", headers=kind)
    assert response.url == "/"
    assert response.cookies["sessionid"]["max-age"] == 0


def test_without_logout_redirect_url_signing_out_leads_to_login(here, settings):
    settings.LOGOUT_REDIRECT_URL = None
    assert here.post(revoke_url(here)).url == "/login/"


def test_the_confirmation_of_all_others_has_their_number(ann, here, there):
    signed_in(ann)
    page = here.get(URL, {"confirm": "others"}, headers=HTMX)
    assert "Sign out 2 other devices?" in text(page)
    assert focused(page) == ["wus-confirm"]
    assert is_signed_in(there)


def test_signing_out_everywhere_else_leaves_this_device_and_all_other_users(
    ann, here, there
):
    also, bob = signed_in(ann), signed_in(make_user("bob"))
    page = here.post(REVOKE_OTHERS_URL, headers=HTMX)
    assert said(page) == ["Signed out 2 other devices."]
    assert listed(page) == [id_of(here)]
    assert focused(page) == ["wus-summary"]
    assert [is_signed_in(c) for c in (here, there, also, bob)] == [1, 0, 0, 1]


def test_not_you_signs_out_the_others_and_leads_to_the_password(here, there):
    page = here.get(URL, {"confirm": "not_you"})
    assert "Sign out 1 other device, and choose a new password?" in text(page)
    response = here.post(REVOKE_OTHERS_URL, {"change_password": "1"}, headers=HTMX)
    assert response["HX-Redirect"] == "/password/"
    assert not is_signed_in(there)
    assert said(here.get(URL)) == ["Signed out 1 other device."]


def test_a_setting_names_the_password_page(here, there, settings):
    settings.WAGTAIL_USER_SESSIONS_PASSWORD_CHANGE_URL = "/new-password/"
    assert (
        here.post(REVOKE_OTHERS_URL, {"change_password": "1"}).url == "/new-password/"
    )


def test_a_site_without_a_password_page_offers_none(here, there, settings):
    settings.ROOT_URLCONF = "tests.urls"
    page = text(here.get(URL, {"confirm": "not_you"}))
    assert "Not you?" not in page
    assert "password" not in page
    assert "Sign out everywhere else" in page
    assert here.post(REVOKE_OTHERS_URL, {"change_password": "1"}).url == URL


def test_signing_a_device_out_without_the_cache_refuses_its_next_request(
    here, there, monkeypatch
):
    def gone():
        raise ConnectionError

    monkeypatch.setattr("wagtail_user_sessions.cache.copies.get_session_cache", gone)
    page = here.post(revoke_url(there), headers=HTMX)
    # No warning: no cache keeps a session of a user.
    assert said(page) == ["Signed out: Chrome on Windows."]
    assert not is_signed_in(there)


def test_the_message_of_a_signed_out_device_has_its_place(here, there):
    change(there, city="Linköping", country="SE")
    page = here.post(revoke_url(there), headers=HTMX)
    assert said(page) == ["Signed out: Chrome on Windows (Linköping, SE)."]
