"""Sessions in Django's own admin: the list, and signing out."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

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
