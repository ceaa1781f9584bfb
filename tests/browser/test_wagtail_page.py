"""The list in a page of Wagtail's tree, at the page's own URLs."""

import re

import pytest
from playwright.sync_api import expect

from sandbox.home.accounts import SAFARI_ON_IPHONE
from tests.browser.devices_page import sign_in
from tests.browser.visitor import LONDON

INTRODUCTION = "<p>Ask the <b>help desk</b> if you know nothing of a device.</p>"


@pytest.fixture
def page_id(ann, backstage):
    return backstage.devices_page(
        slug=ann.username, title="Signed in at", introduction=INTRODUCTION
    )


@pytest.fixture
def here(ann, page_id):
    return ann.browse(path=f"/{ann.username}/")


def test_the_page_has_the_title_and_the_introduction_of_its_editor(ann, here):
    here.open()
    expect(here.page.get_by_role("heading", level=1)).to_have_text("Signed in at")
    expect(here.page).to_have_title(re.compile("Signed in at"))
    introduction = here.page.get_by_text("if you know nothing of a device")
    expect(introduction).to_be_visible()
    expect(introduction.locator("b")).to_have_text("help desk")


def test_the_page_acts_inline_at_its_own_urls(ann, here):
    there = ann.browse(SAFARI_ON_IPHONE, ip=LONDON, path=here.path).open()
    first = ann.device()
    ann.devices(31)
    here.open()
    asked = []
    here.page.on("request", lambda request: asked.append(request.url))
    with here.stays():
        here.part("more").click()
        expect(here.part("more")).to_have_count(0)
        here.rename(first, "Kitchen")
        expect(here.message).to_have_text("The device is now called Kitchen.")
        expect(here.part("rename", first)).to_be_focused()
        here.sign_out(first)
        expect(here.message).to_have_text("Signed out: Kitchen (London, GB).")
        here.refresh()
        here.ask_to_sign_out_others()
        expect(here.part("confirm")).to_contain_text("Sign out 32 other devices?")
        here.part("confirmed").click()
        here.expect_count(1)
        expect(here.message).to_have_text("Signed out 32 other devices.")
    assert {url for url in asked if here.path not in url} == set()
    expect(here.page.get_by_role("heading", level=1)).to_have_text("Signed in at")

    there.page.reload()
    there.expect_login_page(back_to=here.path)
    sign_in(there.page, ann.username)
    there.wait().expect_count(2)
    assert there.address == here.path


def test_the_page_works_without_javascript_at_its_own_urls(ann, page_id):
    here = ann.browse(path=f"/{ann.username}/", java_script_enabled=False)
    other = ann.device()
    here.open()
    here.rename(other, "Kitchen")
    expect(here.message).to_have_text("The device is now called Kitchen.")
    assert here.address == here.path
    here.sign_out(other)
    expect(here.message).to_have_text("Signed out: Kitchen (London, GB).")
    assert here.address == here.path
    here.expect_count(1)
    expect(here.page.get_by_role("heading", level=1)).to_have_text("Signed in at")


def test_signing_out_the_own_session_leaves_the_page(ann, here, backstage):
    here.open()
    here.sign_out(here.id)
    here.page.wait_for_url(f"{ann.site.address}/")
    assert backstage.row(pk=here.id) is None
    here.page.goto(here.path)
    here.expect_login_page(back_to=here.path)


@pytest.mark.parametrize("is_fragment", [False, True])
def test_no_response_of_the_page_may_be_cached(ann, here, is_fragment):
    other = ann.device()
    headers = {"HX-Request": "true"} if is_fragment else {}
    for query in ("", f"?confirm={other}", "?refresh=1"):
        answer = here.page.request.get(here.path + query, headers=headers)
        assert answer.status == 200
        assert "no-store" in answer.headers["cache-control"]
        assert "HX-Request" in answer.headers["vary"]
        assert ("<html" in answer.text()) is not is_fragment
    anonymous = ann.browser().request.get(here.path, max_redirects=0, headers=headers)
    assert "no-store" in anonymous.headers["cache-control"]


def expect_inert(shown):
    """Expect example devices, which can't be acted on."""
    expect(shown.get_by_role("heading", level=1)).to_have_text("Signed in at")
    expect(shown.locator("#wus-summary")).to_have_text(
        "You are signed in on 3 devices."
    )
    inert = shown.locator("[inert]")
    expect(inert.locator("#wus-list")).to_be_visible()
    # No element takes the focus, and no form would be sent.
    is_focused = inert.locator("button").first.evaluate(
        "button => { button.focus(); return document.activeElement === button }"
    )
    assert not is_focused
    acting = "[data-wus], [data-wus] [hx-post], [hx-trigger]"
    expect(shown.locator(acting)).to_have_count(0)


def test_the_preview_of_the_page_is_inert(ann, page_id):
    admin = ann.browser().new_page()
    admin.goto("/admin/login/")
    admin.get_by_label("Username").fill("admin")
    admin.get_by_label("Password").fill("admin-demo")
    admin.get_by_role("button", name="Sign in").click()
    admin.wait_for_url("**/admin/")
    answer = admin.goto(f"/admin/pages/{page_id}/view_draft/")
    assert answer.status == 200
    expect_inert(admin)
    # And in the frame beside the form.
    admin.goto(f"/admin/pages/{page_id}/edit/")
    frame = admin.frame_locator("[data-preview-iframe], #w-preview-iframe")
    toggle = admin.get_by_role("button", name=re.compile("preview", re.I)).first
    if toggle.get_attribute("aria-expanded") != "true":
        toggle.click()
    expect_inert(frame)
