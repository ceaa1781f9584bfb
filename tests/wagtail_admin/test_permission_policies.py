"""Permissions of each URL that the package adds to the admin."""

import re
import uuid

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver

from tests.urls_devices_page import signed_in
from tests.wagtail_admin.conftest import BULK, NAMESPACE
from wagtail_user_sessions.models import Session

pytestmark = pytest.mark.django_db

ROLES = ("anonymous", "visitor", "editor", "viewer", "manager", "superuser")
VIEWERS = {"viewer", "manager", "superuser"}
MANAGERS = {"manager", "superuser"}
STAFF = {"editor", *VIEWERS}
# The roles that each URL answers; it refuses all others.
ALLOWED = {
    "list": VIEWERS,
    "list_results": VIEWERS,
    "list, exported as csv": VIEWERS,
    "list, exported as xlsx": VIEWERS,
    "list_results, exported as csv": VIEWERS,
    "inspect": VIEWERS,
    "delete": MANAGERS,
    "revoke_user": MANAGERS,
    "revoke_everybody": {"superuser"},
    "bulk": MANAGERS,
    "bulk of all": MANAGERS,
    "account: device_list": STAFF,
    "account: device_revoke": STAFF,
    "account: device_revoke_others": STAFF,
    "account: device_rename": STAFF,
}


def patterns(resolver, prefix="", namespaces=()):
    """All routes of the site, with their names and namespaces."""
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = (*namespaces, pattern.namespace)
            yield from patterns(pattern, route, inner)
        else:
            yield route, namespaces, pattern.name


def discovered(pk, user_id):
    """The URLs that the package adds to the admin, by the names above."""
    found = {}
    for route, namespaces, name in patterns(get_resolver()):
        ours = [name for name in namespaces if name and "wagtail_user_sessions" in name]
        if not ours or not route.startswith("admin/"):
            continue
        filled = route.replace("<uuid:pk>", str(pk)).replace("<str:user_id>", user_id)
        label = name if ours == [NAMESPACE] else f"account: {name}"
        found[label] = f"/{filled}"
    for name in ("list", "list_results"):
        found[f"{name}, exported as csv"] = f"{found[name]}?export=csv"
    found["list, exported as xlsx"] = f"{found['list']}?export=xlsx"
    found["bulk"] = f"{BULK}?id={pk}"
    found["bulk of all"] = f"{BULK}?id=all"
    return found


@pytest.fixture
def addresses(visitor, vera):
    return discovered(vera.session.id, str(visitor.pk))


@pytest.fixture(params=ROLES)
def role(request):
    return request.param


@pytest.fixture
def browser_of_role(role, request):
    if role == "anonymous":
        return Client()
    return signed_in(request.getfixturevalue(role))


def test_the_table_has_each_url_of_the_package(addresses):
    assert addresses.keys() == ALLOWED.keys()


def is_refused(response):
    if response.status_code == 302:
        return response.url.startswith("/admin/login/")
    return response.status_code in {403, 404}


def test_get_is_refused_to_roles_without_the_permission(
    role, browser_of_role, addresses
):
    before = Session.objects.count()
    for name, address in addresses.items():
        response = browser_of_role.get(address)
        if role in ALLOWED[name]:
            # Another user's device is not found, and actions redirect to the own list.
            is_fine = response.status_code == 200 or name.startswith("account: ")
            assert is_fine, (name, response.status_code)
        else:
            assert is_refused(response), (name, response.status_code)
    assert Session.objects.count() == before


def test_post_is_refused_to_roles_without_the_permission(
    role, browser_of_role, addresses, vera
):
    for name, address in addresses.items():
        if role not in ALLOWED[name]:
            response = browser_of_role.post(address, {"confirmation": "everybody"})
            assert is_refused(response) or response.status_code == 405, name
    assert Session.objects.filter(pk=vera.session.id).exists()


@pytest.mark.parametrize("role_name", ["viewer", "manager"])
def test_only_a_superuser_sees_or_ends_a_superusers_session(
    role_name, request, superuser, sue
):
    browser = signed_in(request.getfixturevalue(role_name))
    there = discovered(sue.session.id, str(superuser.pk))
    for name in ("inspect", "delete", "revoke_user", "bulk"):
        for ask in (browser.get, browser.post):
            assert is_refused(ask(there[name])), name
    browser.post(there["bulk of all"])
    for name in ("list", "list_results", "list, exported as csv"):
        for query in ("", f"&user={superuser.pk}", "&q=sue", "&status="):
            answer = browser.get(
                f"{there[name]}{'' if '?' in there[name] else '?'}{query}"
            )
            content = b"".join(answer) if answer.streaming else answer.content
            assert str(sue.session.id).encode() not in content
            assert b"Sue Super" not in content
    assert Session.objects.filter(pk=sue.session.id).exists()


def test_an_unknown_session_is_not_found(sue):
    for name in ("inspect", "delete"):
        address = discovered(uuid.uuid4(), "1")[name]
        assert sue.get(address).status_code == 404
        assert sue.post(address).status_code == 404
    for user_id in ("999999", "x", "99999999999999999999999", "%00"):
        address = discovered(uuid.uuid4(), user_id)["revoke_user"]
        assert sue.get(address).status_code == 404
    assert sue.get(f"{BULK}?id={uuid.uuid4()}").status_code == 404
    assert sue.get(f"{BULK}?id=x").status_code == 404


def test_sessions_cant_be_chosen_added_or_changed(sue):
    names = {
        namespace
        for _route, namespaces, _name in patterns(get_resolver())
        for namespace in namespaces
        if namespace
    }
    assert NAMESPACE in names
    assert not any("chooser" in name and "session" in name for name in names)
    for path in ("add/", "edit/{pk}/", "copy/{pk}/", "usage/{pk}/", "history/{pk}/"):
        path = path.format(pk=sue.session.id)
        address = f"/admin/snippets/wagtail_user_sessions/session/{path}"
        assert sue.get(address).status_code == 404


def test_the_menu_item_needs_the_permission_to_view(editor, viewer, superuser):
    address = '"/admin/snippets/wagtail_user_sessions/session/"'
    assert address not in signed_in(editor).get("/admin/").content.decode()
    assert address in signed_in(viewer).get("/admin/").content.decode()
    assert address in signed_in(superuser).get("/admin/").content.decode()


def test_the_group_editor_offers_two_permissions_under_a_clear_name(sue):
    page = sue.get("/admin/groups/new/").content.decode()
    row = re.search(r"<tr[^>]*>(?:(?!</tr>).)*User session.*?</tr>", page, re.S)[0]
    assert row.count('type="checkbox"') == 2
    assert "Can delete user session" in row
    assert "Can view" in row
