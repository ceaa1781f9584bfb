"""Access to the devices page: visitors, foreign ids, proofs, URLs."""

import uuid

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from tests.devices_page.page import REVOKE_OTHERS_URL, open_fields
from tests.urls_devices_page import (
    BOOSTED,
    FROM_HISTORY,
    HTMX,
    URL,
    focused,
    id_of,
    is_signed_in,
    listed,
    make_user,
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


def test_a_visitor_is_sent_to_the_login_page_and_comes_back(client):
    page = client.get(URL, {"shown": "50"})
    assert page.status_code == 302
    assert page.url == "/login/?next=/devices/%3Fshown%3D50"


def test_a_login_page_on_another_host_gets_the_absolute_url(client, settings):
    settings.LOGIN_URL = "https://id.example/login"
    assert client.get(URL).url.endswith("?next=http%3A//testserver/devices/")


@pytest.mark.parametrize("query", ["", "?refresh=1", "?confirm=others"])
def test_a_fragment_request_of_a_visitor_redirects_the_whole_page(client, query):
    response = client.get(URL + query, headers=HTMX)
    assert response.status_code == 200
    assert response["HX-Redirect"] == "/login/?next=/devices/"
    assert not response.content


@pytest.mark.parametrize("kind", [BOOSTED, FROM_HISTORY])
def test_a_whole_page_request_of_a_visitor_is_redirected(client, kind):
    assert client.get(URL, headers=kind).url == "/login/?next=/devices/"


@pytest.mark.parametrize("path", ["revoke/", "rename/"])
@pytest.mark.parametrize("kind", [None, HTMX])
def test_an_action_of_a_visitor_does_nothing(here, path, kind):
    url = f"{URL}{id_of(here)}/{path}"
    response = Client().post(url, {"name": "x"}, headers=kind)
    assert response.url == "/login/?next=/devices/"
    assert is_signed_in(here)
    assert Session.objects.get(pk=id_of(here)).name == ""


def test_login_required_middleware_leaves_the_response_to_the_page(client, settings):
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    response = client.get(URL, headers=HTMX)
    assert response["HX-Redirect"] == "/login/?next=/devices/"
    assert client.get(URL).url == "/login/?next=/devices/"


@pytest.mark.parametrize("kind", [None, HTMX])
@pytest.mark.parametrize("path", ["revoke/", "rename/"])
@pytest.mark.parametrize("whose", ["foreign", "unknown"])
def test_a_foreign_or_unknown_id_is_not_found(here, path, kind, whose):
    bob = signed_in(make_user("bob"))
    pk = id_of(bob) if whose == "foreign" else uuid.uuid4()
    response = here.post(f"{URL}{pk}/{path}", {"name": "mine"}, headers=kind)
    assert response.status_code == 404
    assert "no-store" in response["Cache-Control"]
    assert Session.objects.get(pk=id_of(bob)).name == ""
    assert is_signed_in(bob)


@pytest.mark.parametrize("path", ["revoke/", "rename/"])
def test_the_proof_of_an_own_device_is_not_valid_for_another(here, there, path):
    bob = signed_in(make_user("bob"))
    data = {**proof(here, there), "name": "mine"}
    assert here.post(f"{URL}{id_of(bob)}/{path}", data).status_code == 404
    assert bob.post(f"{URL}{id_of(there)}/{path}", data).status_code == 404
    assert is_signed_in(there)


def test_the_sites_own_404_page_is_shown(here, settings):
    settings.ROOT_URLCONF = "tests.urls_not_found"
    response = here.post(f"{URL}{uuid.uuid4()}/revoke/")
    assert response.status_code == 404
    assert response.content == b"the site's own"


@pytest.mark.parametrize("kind", [{}, HTMX])
@pytest.mark.parametrize("open_part", ["confirm", "rename"])
def test_a_list_url_with_an_own_device_that_has_gone_says_so(
    here, there, open_part, kind
):
    query = {**open_fields(here, there), open_part: str(id_of(there))}
    there.session.delete()
    page = here.get(URL, query, headers=kind)
    assert said(page) == ["That device is already signed out."]
    assert listed(page) == [id_of(here)]
    assert focused(page) == ["wus-summary"]


@pytest.mark.parametrize("kind", [{}, HTMX])
@pytest.mark.parametrize("open_part", ["confirm", "rename"])
def test_a_list_url_with_a_foreign_or_unknown_id_is_not_found(
    here, there, open_part, kind
):
    data = open_fields(here, there)
    bob = signed_in(make_user("bob"))
    for pk in (id_of(bob), uuid.uuid4()):
        for query in ({open_part: str(pk)}, {**data, open_part: str(pk)}):
            response = here.get(URL, query, headers=kind)
            assert response.status_code == 404
            assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("query", ["confirm=x", "rename=x", "rename=others"])
def test_an_invalid_id_in_the_list_url_is_ignored(here, query):
    page = here.get(f"{URL}?{query}")
    assert said(page) == []
    assert listed(page) == [id_of(here)]


@pytest.mark.parametrize("has_middleware", [True, False])
def test_every_action_requires_the_csrf_token(ann, there, settings, has_middleware):
    if has_middleware:
        settings.MIDDLEWARE = [
            *settings.MIDDLEWARE,
            "django.middleware.csrf.CsrfViewMiddleware",
        ]
    here = signed_in(ann, enforce_csrf_checks=True)
    for url in (
        revoke_url(there),
        rename_url(there),
        REVOKE_OTHERS_URL,
        revoke_url(here),
    ):
        assert here.post(url, {"name": "x"}, headers=HTMX).status_code == 403
    assert is_signed_in(there)
    assert here.post(revoke_url(there), proof(here, there)).status_code == 302
    assert not is_signed_in(there)


def test_a_get_of_an_action_redirects_to_its_open_part(here, there):
    pk = id_of(there)
    assert here.get(revoke_url(there)).url == f"{URL}?confirm={pk}"
    assert here.get(rename_url(there)).url == f"{URL}?rename={pk}"
    assert here.get(REVOKE_OTHERS_URL).url == f"{URL}?confirm=others"
    assert here.get(f"{URL}{uuid.uuid4()}/revoke/").status_code == 404
    bob = signed_in(make_user("bob"))
    assert bob.get(revoke_url(there)).status_code == 404


def test_a_proof_from_before_a_secret_rotation_is_valid(here, there, settings):
    data = proof(here, there)
    url = revoke_url(there)
    there.session.delete()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret"
    assert here.post(url, data).url == URL


def test_the_urls_work_below_a_namespace_of_the_site(here, settings):
    settings.ROOT_URLCONF = "tests.urls_nested"
    page = here.get(URL)
    assert listed(page) == [id_of(here)]
    assert f'action="{URL}"' in page.content.decode()


def test_another_engine_raises_an_error_that_names_the_setting(ann, settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    here = Client()
    here.force_login(ann)
    with pytest.raises(ImproperlyConfigured, match="SESSION_ENGINE"):
        here.get(URL)
