"""Sessions on Wagtail's pages of users, and on the home page."""

import pytest

from tests.urls_devices_page import signed_in
from tests.wagtail_admin.conftest import LIST, said, text_of, url
from wagtail_user_sessions.models import Session
from wagtail_user_sessions.wagtail_admin import paginator

pytestmark = pytest.mark.django_db


@pytest.fixture
def personnel(person, django_user_model):
    """Makes users who may also manage users."""

    def make(username, *permissions):
        from django.contrib.auth.models import Permission

        user = person(username, *permissions)
        user.user_permissions.set(
            Permission.objects.filter(
                codename__in=["change_user", "add_user", "delete_user"]
            )
        )
        return user

    return make


def items_of(browser, user):
    """The URLs about sessions in the user's row of the list of users."""
    page = browser.get("/admin/users/").content.decode()
    addresses = (f"{LIST}?user={user.pk}", url("revoke_user", user.pk))
    return [address for address in addresses if f'href="{address}' in page]


def test_the_list_of_users_leads_to_sessions_and_to_signing_out(sue, visitor):
    assert len(items_of(sue, visitor)) == 2


def test_the_list_of_users_offers_only_permitted_actions(personnel, visitor, superuser):
    nobody = signed_in(personnel("pat"))
    assert items_of(nobody, visitor) == []
    viewer = signed_in(personnel("quinn", "view"))
    assert items_of(viewer, visitor) == [f"{LIST}?user={visitor.pk}"]
    manager = signed_in(personnel("ruth", "delete"))
    assert len(items_of(manager, visitor)) == 2
    assert items_of(manager, superuser) == []


def test_a_users_page_shows_the_number_of_active_sessions(sue, visitor, vera, make_row):
    make_row(visitor)
    page = sue.get(f"/admin/users/edit/{visitor.pk}/")
    assert "Vera Visitor has 2 active sessions." in text_of(page)
    assert f'href="{LIST}?user={visitor.pk}"' in page.content.decode()


def test_sessions_that_a_new_password_has_ended_are_not_counted(sue, visitor, vera):
    visitor.set_password("another")
    visitor.save()
    page = sue.get(f"/admin/users/edit/{visitor.pk}/")
    assert "Vera Visitor has 0 active sessions." in text_of(page)


def test_a_users_page_shows_no_number_without_the_permission(
    personnel, visitor, superuser
):
    page = signed_in(personnel("pat")).get(f"/admin/users/edit/{visitor.pk}/")
    assert page.status_code == 200
    assert "active session" not in text_of(page)
    page = signed_in(personnel("quinn", "view")).get(
        f"/admin/users/edit/{superuser.pk}/"
    )
    assert "active session" not in text_of(page)


def test_a_users_page_shows_no_number_after_saving(sue, visitor):
    address = f"/admin/users/edit/{visitor.pk}/"
    data = {
        "username": "vera",
        "email": "v@example.com",
        "first_name": "Vera",
        "last_name": "V",
        "is_active": "on",
    }
    answer = sue.post(address, data, follow=True)
    assert answer.redirect_chain
    assert not any("active session" in text for text in said(answer))


def test_the_home_page_counts_the_active_sessions(sue, visitor, vera, make_row):
    make_row(visitor, expire_date="2020-01-01T00:00Z")
    make_row()
    page = sue.get("/admin/")
    assert "2 Active sessions" in text_of(page)
    assert f'href="{LIST}"' in page.content.decode()


def test_the_home_page_needs_the_permission_to_count(sue, viewer, editor):
    assert "1 Active session" in text_of(signed_in(viewer).get("/admin/"))
    assert "Active session" not in text_of(signed_in(editor).get("/admin/"))


def test_the_home_page_counts_up_to_a_limit(sue, visitor, make_row, monkeypatch):
    monkeypatch.setattr(paginator, "MAX_ROWS", 2)
    for _ in range(3):
        make_row(visitor)
    assert "2+ Active sessions" in text_of(sue.get("/admin/"))


# Users who are deleted


@pytest.mark.parametrize("sessions", [0, 2])
def test_a_user_is_deleted_in_wagtails_admin_without_permissions_on_sessions(
    personnel, visitor, make_row, sessions
):
    browser = signed_in(personnel("pat"))
    for _ in range(sessions):
        make_row(visitor)
    address = f"/admin/users/delete/{visitor.pk}/"
    assert browser.get(address).status_code == 200
    assert browser.post(address).url == "/admin/users/"
    assert not Session.objects.filter(user=visitor.pk).exists()


def test_users_are_deleted_in_a_selection_of_wagtails_admin(
    personnel, visitor, editor, make_row
):
    browser = signed_in(personnel("pat"))
    make_row(visitor)
    address = f"/admin/bulk/auth/user/delete/?id={visitor.pk}&id={editor.pk}"
    assert "user session" not in text_of(browser.get(address)).lower()
    assert browser.post(address).status_code == 302
    assert not type(visitor).objects.filter(pk__in=[visitor.pk, editor.pk]).exists()
    assert Session.objects.count() == 1
