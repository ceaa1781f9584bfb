"""Sessions in Django's own admin: the list, and signing out."""

import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.utils import timezone

from tests.models import AccountSession
from tests.urls_devices_page import is_signed_in, signed_in
from wagtail_user_sessions.hashing import MARKER_KEY_HASH
from wagtail_user_sessions.models import Session
from wagtail_user_sessions.signals import session_ended

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("engine"),
]
LIST = "/django-admin/wagtail_user_sessions/session/"


@pytest.fixture
def root(django_user_model):
    return django_user_model.objects.create_superuser("root", password="secret")


@pytest.fixture
def clerk(django_user_model):
    """A member of staff with the permissions to view and delete sessions."""
    user = django_user_model.objects.create_user("clerk", is_staff=True)
    codenames = ["view_session", "delete_session"]
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


@pytest.fixture
def here(root):
    return signed_in(root)


@pytest.fixture
def there(alice):
    return signed_in(alice)


def page_of(client):
    return f"{LIST}{client.session.id}/change/"


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def choose(browser, action, *clients, **data):
    ids = [str(client.session.id) for client in clients]
    data = {"action": action, "_selected_action": ids, **data}
    return browser.post(LIST, data, follow=True)


def test_sessions_are_listed_and_found(here, there):
    assert "Chrome on Windows" in text_of(here.get(LIST))
    for text, count in (("alice", 1), ("192.0.2.7", 2), ("nobody", 0)):
        page = here.get(LIST, {"q": text}).content.decode()
        assert page.count('class="action-select"') == count


def test_the_not_before_marker_is_not_listed(here, there):
    rows = Session.objects.filter(pk=there.session.id)
    long_ago = timezone.now() - timedelta(days=1)
    rows.update(key_hash=MARKER_KEY_HASH, signed_in_at=long_ago)
    assert here.get(LIST).content.decode().count('class="action-select"') == 1


def test_addresses_are_sorted_by_their_numbers(here, root):
    in_order = ["9.9.9.9", "10.0.0.9", "10.0.0.10", "2001:db8::9", "2001:db8::10"]
    Session.objects.bulk_create(
        Session(user=root, ip=ip, key_hash=ip.encode(), expire_date=timezone.now())
        for ip in sorted(in_order)
    )
    in_order.insert(3, "192.0.2.7")
    for order, expected in (("4", in_order), ("-4", in_order[::-1])):
        text = text_of(here.get(LIST, {"o": order}))
        found = re.findall(r" (\d+(?:\.\d+){3}|2001:\S+)", text)
        assert found == expected


def test_neither_key_nor_data_is_shown(here, there):
    row = Session.objects.get(pk=there.session.id)
    for address in (LIST, page_of(there)):
        page = here.get(address).content.decode()
        assert row.session_data not in page
        assert bytes(row.key_hash).hex() not in page
        assert there.cookies["sessionid"].value not in page


def test_sessions_can_be_neither_added_nor_changed(here, there):
    assert here.get(f"{LIST}add/").status_code == 403
    assert here.post(page_of(there), {"name": "x"}).status_code == 403
    assert 'name="name"' not in here.get(page_of(there)).content.decode()


def test_one_session_is_signed_out_after_a_confirmation(here, there, root):
    ended = []

    def listen(sender, actor, reason, **kwargs):
        ended.append((actor, reason))

    session_ended.connect(listen)
    address = f"{LIST}{there.session.id}/delete/"
    assert here.get(address).status_code == 200
    assert is_signed_in(there)
    here.post(address, {"post": "yes"})
    session_ended.disconnect(listen)
    assert not is_signed_in(there)
    assert ended == [(root, "revoked")]


def test_a_selection_with_the_own_session_is_signed_out(here, there):
    response = choose(here, "delete_selected", here, there, post="yes")
    assert response.redirect_chain[-1][0].startswith("/django-admin/login/")
    assert not is_signed_in(there)
    assert not is_signed_in(here)


def test_the_users_of_a_selection_are_signed_out_everywhere(here, there, alice):
    phone = signed_in(alice)
    response = choose(here, "sign_out_users", there)
    assert "2 sessions were signed out." in text_of(response)
    assert not is_signed_in(there)
    assert not is_signed_in(phone)
    assert is_signed_in(here)


def test_signing_out_the_own_session_leads_to_the_login_page(here):
    response = here.post(
        f"{LIST}{here.session.id}/delete/", {"post": "yes"}, follow=True
    )
    assert response.redirect_chain[-1][0].startswith("/django-admin/login/")
    assert not is_signed_in(here)


def test_staff_neither_see_nor_end_the_session_of_a_superuser(here, there, clerk):
    browser = signed_in(clerk)
    assert "alice" in text_of(browser.get(LIST))
    assert "root" not in text_of(browser.get(LIST))
    assert browser.get(page_of(here), follow=True).redirect_chain
    browser.post(f"{LIST}{here.session.id}/delete/", {"post": "yes"})
    choose(browser, "delete_selected", here, post="yes")
    choose(browser, "sign_out_users", here)
    assert is_signed_in(here)


def test_staff_without_the_permission_see_nothing(here, there, django_user_model):
    nobody = signed_in(django_user_model.objects.create_user("pat", is_staff=True))
    for address in (LIST, page_of(there), f"{LIST}{there.session.id}/delete/"):
        assert nobody.get(address).status_code == 403
    choose(nobody, "sign_out_users", there)
    assert is_signed_in(there)


def test_users_are_signed_out_without_the_cache_and_without_a_warning(
    here, there, monkeypatch
):
    def gone():
        raise ConnectionError

    monkeypatch.setattr("wagtail_user_sessions.cache.copies.get_session_cache", gone)
    response = choose(here, "sign_out_users", there)
    assert "1 session was signed out." in text_of(response)
    assert response.content.decode().count('<li class="success"') == 1
    assert '<li class="warning"' not in response.content.decode()
    assert not is_signed_in(there)


# The pages of other models


USERS = "/django-admin/auth/user/"


@pytest.fixture
def personnel(django_user_model):
    """A member of staff who may delete users, and has no permission on sessions."""
    user = django_user_model.objects.create_user("pat", is_staff=True)
    codenames = ["view_user", "change_user", "delete_user"]
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return signed_in(user)


def test_a_user_is_deleted_with_the_sessions_by_who_may_delete_users(
    personnel, there, alice
):
    address = f"{USERS}{alice.pk}/delete/"
    assert "user session" not in text_of(personnel.get(address)).lower()
    response = personnel.post(address, {"post": "yes"})
    assert (response.status_code, response["Location"]) == (302, USERS)
    assert not is_signed_in(there)
    assert not Session.objects.filter(user=alice.pk).exists()


def test_users_are_deleted_in_a_selection_with_their_sessions(
    personnel, there, alice, bob
):
    phone = signed_in(bob)
    data = {"action": "delete_selected", "_selected_action": [alice.pk, bob.pk]}
    assert "user session" not in text_of(personnel.post(USERS, data)).lower()
    response = personnel.post(USERS, {**data, "post": "yes"}, follow=True)
    assert "Successfully deleted 2 users." in text_of(response)
    assert not is_signed_in(there)
    assert not is_signed_in(phone)


def test_who_may_delete_users_still_ends_no_session_alone(personnel, there):
    for address in (LIST, page_of(there), f"{LIST}{there.session.id}/delete/"):
        assert personnel.get(address).status_code == 403
        assert personnel.post(address, {"post": "yes"}).status_code == 403
    assert is_signed_in(there)


def test_the_page_that_deletes_a_user_reads_and_lists_no_session(
    here, there, alice, statements
):
    now = timezone.now()
    Session.objects.bulk_create(
        Session(user=alice, key_hash=number.to_bytes(32), expire_date=now)
        for number in range(300)
    )
    with statements() as read:
        page = here.get(f"{USERS}{alice.pk}/delete/")
    # Only the sessions of the request itself, and those of Wagtail's editor.
    assert not [sql for sql in read.all if "_session" in sql and f"({alice.pk})" in sql]
    assert "Users: 1" in text_of(page)
    assert page.content.decode().count("<li>") < 20


def test_a_sites_own_registration_of_sessions_changes_no_page_of_users(
    personnel, alice
):
    registered = AccountSession
    admin.site.register(registered)
    registered.objects.create(
        user=alice, key_hash=b"x" * 32, expire_date=timezone.now()
    )
    try:
        response = personnel.post(f"{USERS}{alice.pk}/delete/", {"post": "yes"})
    finally:
        admin.site.unregister(registered)
    assert response.status_code == 302
    assert not registered.objects.exists()
