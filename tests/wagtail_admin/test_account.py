"""The user's own devices, in Wagtail's admin."""

import pytest

from tests.urls_devices_page import HTMX, id_of, is_signed_in, said, signed_in
from wagtail_user_sessions.models import Session

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("engine"),
]
URL = "/admin/account/devices/"


@pytest.fixture
def here(editor):
    return signed_in(editor)


@pytest.fixture
def there(editor):
    return signed_in(editor)


def test_the_account_page_links_to_the_own_devices(here):
    assert f'href="{URL}"' in here.get("/admin/account/").content.decode()


def test_the_page_lists_the_own_devices_in_the_admins_layout(here, there, vera):
    page = here.get(URL).content.decode()
    assert f'id="wus-{id_of(here)}"' in page
    assert f'id="wus-{id_of(there)}"' in page
    assert f'id="wus-{id_of(vera)}"' not in page
    assert "wagtailadmin" in page
    assert "<h1" in page


def test_a_device_is_signed_out_inline_at_urls_of_the_admin(here, there):
    address = f"{URL}{id_of(there)}/revoke/"
    assert (
        f'hx-post="{address}"'
        in here.get(URL, {"confirm": id_of(there)}).content.decode()
    )
    answer = here.post(address, headers=HTMX)
    assert "Signed out" in said(answer)[0]
    assert "<html" not in answer.content.decode()
    assert f'hx-get="{URL}?refresh=1"' in answer.content.decode()
    assert not is_signed_in(there)


def test_a_foreign_device_is_not_found(here, vera):
    assert here.post(f"{URL}{id_of(vera)}/revoke/").status_code == 404
    assert Session.objects.filter(pk=id_of(vera)).exists()


def test_the_page_ignores_the_markup_of_the_sites_theme(here, settings, tmp_path):
    partials = tmp_path / "wagtail_user_sessions" / "partials"
    partials.mkdir(parents=True)
    (partials / "device.html").write_text("a ticket")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    assert "a ticket" in here.get("/devices/").content.decode()
    page = here.get(URL).content.decode()
    assert "a ticket" not in page
    assert f'id="wus-{id_of(here)}"' in page
    answer = here.get(URL, headers=HTMX).content.decode()
    assert "a ticket" not in answer


def test_no_response_may_be_cached(here):
    for kind in ({}, HTMX):
        assert "no-store" in here.get(URL, headers=kind)["Cache-Control"]


def test_signing_out_the_own_session_leads_to_the_admins_login(here):
    answer = here.post(f"{URL}{id_of(here)}/revoke/", headers=HTMX)
    assert answer["HX-Redirect"] == "/admin/login/"


def test_a_new_password_is_chosen_on_the_account_page(here, there):
    page = here.get(URL).content.decode()
    assert 'value="not_you"' in page
    answer = here.post(f"{URL}revoke-others/", {"change_password": "1"})
    assert answer.url == "/admin/account/"
    assert not is_signed_in(there)


def test_another_packages_engine_gives_404_and_no_menu_item(editor, settings, client):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    client.force_login(editor)
    assert client.get(URL).status_code == 404
    assert URL not in client.get("/admin/account/").content.decode()
    assert client.get("/admin/").status_code == 200
