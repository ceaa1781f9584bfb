"""Renaming a device."""

import pytest

from tests.devices_page.page import change, text
from tests.urls_devices_page import (
    HTMX,
    URL,
    focused,
    id_of,
    rename_url,
    said,
)
from wagtail_user_sessions.models import Session

pytestmark = [
    pytest.mark.urls("tests.urls_devices_page"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("engine"),
]


def test_renaming_a_device_that_ends_meanwhile_says_so(here, there, monkeypatch):
    monkeypatch.setattr(Session, "rename", lambda *args: False)
    page = here.post(rename_url(there), {"name": "Kitchen"}, headers=HTMX)
    assert said(page) == ["That device is already signed out."]


def test_a_device_is_renamed(here, there):
    page = here.get(URL, {"rename": str(id_of(there))}, headers=HTMX)
    assert focused(page) == [f"wus-name-{id_of(there)}"]
    page = here.post(rename_url(there), {"name": " Kitchen tablet "}, headers=HTMX)
    assert said(page) == ["The device is now called Kitchen tablet."]
    assert focused(page) == [f"wus-rename-{id_of(there)}"]
    assert "Kitchen tablet" in text(here.get(URL))
    assert "Kitchen tablet" in text(there.get(URL))


def test_an_empty_name_removes_the_name(here, there):
    change(there, name="Kitchen")
    page = here.post(rename_url(there), {"name": " "}, headers=HTMX)
    assert said(page) == ["The name was taken away."]
    assert Session.objects.get(pk=id_of(there)).name == ""


@pytest.mark.parametrize("kind", [{}, HTMX])
def test_a_name_that_is_too_long_is_refused_and_kept_in_the_form(here, there, kind):
    page = here.post(rename_url(there), {"name": "x" * 65}, headers=kind)
    assert page.status_code == 200
    assert "at most 64 characters" in text(page)
    assert f'value="{"x" * 65}"' in page.content.decode()
    assert focused(page) == [f"wus-name-{id_of(there)}"]
    assert Session.objects.get(pk=id_of(there)).name == ""


def test_a_cached_copy_never_hides_a_new_name(here, there):
    store = type(there.session)
    key = there.session.session_key
    for _ in range(2):
        store(key).keys()
    here.post(rename_url(there), {"name": "Kitchen"})
    again = store(key)
    again.keys()
    assert again.row.name == "Kitchen"
