"""The page of one session: all columns, but neither the key nor values of the data."""

import pytest
from django.utils import timezone
from django.utils.html import escape

from tests.urls_devices_page import signed_in
from tests.wagtail_admin.conftest import row_of, text_of, url
from wagtail_user_sessions.models import Session

pytestmark = pytest.mark.django_db


def test_the_page_shows_user_device_place_and_status(sue, vera):
    Session.objects.filter(pk=row_of(vera).pk).update(
        city="London", country="GB", name="Kitchen", last_activity=timezone.now()
    )
    row = row_of(vera)
    text = text_of(sue.get(url("inspect", row.pk)))
    for expected in (
        "Vera Visitor",
        "Kitchen",
        "London, GB",
        "192.0.2.7",
        "Chrome",
        "Windows",
    ):
        assert expected in text
    assert str(row.pk) in text
    assert escape(row.user_agent) in text
    assert "Active" in text


def test_the_page_shows_only_keys_and_size_of_the_data(sue, visitor):
    client = signed_in(visitor)
    session = client.session
    session["basket"] = "a secret thing"
    session.save()
    row = row_of(client)
    page = sue.get(url("inspect", row.pk)).content.decode()
    assert '<code dir="ltr">basket</code>' in page
    assert '<code dir="ltr">_auth_user_id</code>' in page
    assert "a secret thing" not in page
    assert row.session_data not in page
    assert session["_auth_user_hash"] not in page
    assert client.cookies["sessionid"].value not in page
    assert bytes(row.key_hash).hex() not in page
    assert f"It takes {len(row.session_data)}\xa0bytes" in page


def test_data_that_cant_be_read_is_no_error(sue, make_row, visitor):
    row = make_row(visitor, session_data="???")
    assert "can't be read" in text_of(sue.get(url("inspect", row.pk)))


def test_the_history_names_who_signed_out_others_of_the_user(
    sue, visitor, vera, django_capture_on_commit_callbacks
):
    phone = signed_in(visitor)
    with django_capture_on_commit_callbacks(execute=True):
        sue.post(url("delete", row_of(phone).pk), {"reason": "lost phone"})
    text = text_of(sue.get(url("inspect", row_of(vera).pk)))
    assert (
        "Signed out Chrome on Windows of Vera Visitor: lost phone (Sue Super)" in text
    )


def test_a_session_without_history_says_so(sue, vera):
    text = text_of(sue.get(url("inspect", row_of(vera).pk)))
    assert "Nobody has signed out a session of this user." in text


def test_hostile_text_is_shown_as_text(sue, visitor, make_row):
    row = make_row(visitor, name="<script>x</script>", user_agent="<b>", city="<i>")
    page = sue.get(url("inspect", row.pk)).content.decode()
    assert "<script>x</script>" not in page
    assert "<b>" not in page
    assert "<i>" not in page


def test_a_session_that_ends_with_the_browser_says_so(sue, visitor):
    client = signed_in(visitor)
    session = client.session
    session.set_expiry(0)
    session.save()
    text = text_of(sue.get(url("inspect", row_of(client).pk)))
    assert "Expires When the browser closes" in text
