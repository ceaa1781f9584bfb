"""Failures: what the list shows when a request fails."""

import pytest
from playwright.sync_api import expect

from tests.browser.devices_page import PATH, sign_in

FAILURE = "That didn't work."
# Notes a login form inside the list, even one that is there only for a moment.
WATCH = """
new MutationObserver(() => {
  if (document.querySelector("[data-wus] [type=password]"))
    sessionStorage.setItem("landed", "yes");
}).observe(document, { childList: true, subtree: true });
"""


@pytest.fixture(params=["default", "theme", "htmx_4"])
def site(request, sites):
    return sites(request.param)


@pytest.fixture
def here(ann):
    devices = ann.browse()
    devices.page.add_init_script(WATCH)
    return devices


def expect_failure(here):
    expect(here.message).to_contain_text(FAILURE)
    expect(here.message.get_by_role("link", name="Reload the page")).to_be_visible()


def reload_as_offered(here):
    with here.page.expect_navigation():
        here.message.get_by_role("link", name="Reload the page").click()
    here.wait()
    assert here.address == here.path
    expect(here.message).to_have_text("")


def never_had_a_login_form(here):
    return here.page.evaluate("sessionStorage.getItem('landed')") is None


def test_a_csrf_token_that_was_rotated_in_another_tab_needs_a_reload(ann, here):
    first, second = ann.devices(2)
    here.open()
    here.ask_to_sign_out(first)
    here.page.context.add_cookies(
        [{"name": "csrftoken", "value": "t" * 32, "url": ann.site.address}]
    )
    with here.stays():
        with here.page.expect_response("**/revoke/") as response:
            here.part("confirmed", first).click()
        assert response.value.status == 403
        expect_failure(here)
        assert here.ids == [here.id, first, second]
    reload_as_offered(here)
    here.sign_out(first)
    here.expect_count(2)


@pytest.mark.parametrize("status", [400, 500, 503])
def test_a_server_error_is_shown_and_changes_nothing(ann, here, status):
    first, second = ann.devices(2)
    here.open()
    page = f"<html><body>Error {status}</body></html>"
    here.page.route(
        "**/revoke/*", lambda route: route.fulfill(status=status, body=page)
    )
    with here.stays():
        here.sign_out(first)
        expect_failure(here)
        assert here.ids == [here.id, first, second]
        # The next try does what it should, and the failure is no longer shown.
        here.page.unroute_all(behavior="wait")
        here.settle()
        here.part("confirmed", first).click()
        expect(here.message).to_have_text("Signed out: Chrome on Windows (London, GB).")
        expect(here.device(first)).to_have_count(0)


def test_an_error_on_opening_a_question_is_shown(ann, here):
    other = ann.device()
    here.open()
    here.page.route("**confirm=**", lambda route: route.fulfill(status=500))
    with here.stays():
        here.part("sign-out", other).click()
        expect_failure(here)
        expect(here.part("sign-out", other)).to_be_focused()
        assert here.ids == [here.id, other]
        here.page.unroute_all(behavior="wait")
        here.sign_out(other)
        here.expect_count(1)


def test_being_offline_is_shown_and_the_next_try_works(ann, here):
    first, second = ann.devices(2)
    here.open()
    here.ask_to_sign_out(first)
    here.page.context.set_offline(offline=True)
    with here.stays():
        here.part("confirmed", first).click()
        expect_failure(here)
        assert here.ids == [here.id, first, second]
        here.page.context.set_offline(offline=False)
        here.settle()
        here.part("confirmed", first).click()
        expect(here.message).to_have_text("Signed out: Chrome on Windows (London, GB).")
        expect(here.device(first)).to_have_count(0)


@pytest.mark.parametrize("opening", ["an action", "a question", "a refresh"])
def test_an_ended_own_session_leads_to_the_login_page(ann, here, backstage, opening):
    other = ann.device()
    here.open()
    here.ask_to_sign_out(other)
    backstage.revoke(pk=here.id)
    if opening == "an action":
        here.part("confirmed", other).click()
    elif opening == "a question":
        here.part("rename", here.id).click()
    else:
        here.come_to_the_front()
    here.expect_login_page(back_to=PATH)
    assert never_had_a_login_form(here)
    assert backstage.row(pk=other)
    sign_in(here.page, ann.username)
    here.page.wait_for_url(f"**{PATH}")
    here.wait().expect_count(2)


@pytest.mark.parametrize("site", ["default", "guarded"], indirect=True)
@pytest.mark.parametrize("opening", ["an action", "a question", "a refresh"])
def test_a_redirect_to_the_login_page_leads_the_whole_page_there(
    ann, backstage, opening
):
    path = PATH
    if ann.site.name == "default":
        # This site has no guard: here a view restriction guards one page of the tree.
        path = f"/{ann.username}/"
        backstage.devices_page(slug=ann.username, is_restricted=True)
    here = ann.browse(path=path)
    here.page.add_init_script(WATCH)
    other = ann.device()
    here.open()
    here.ask_to_sign_out(other)
    backstage.revoke(pk=here.id)
    if opening == "an action":
        here.part("confirmed", other).click()
    elif opening == "a question":
        here.part("rename", here.id).click()
    else:
        here.come_to_the_front()
    here.page.wait_for_url("**/login/**")
    expect(here.page.get_by_label("Password")).to_be_visible()
    expect(here.list).to_have_count(0)
    assert never_had_a_login_form(here)
    assert backstage.row(pk=other)
    sign_in(here.page, ann.username)
    here.wait().expect_count(2)
    assert here.address.split("?")[0] == path
