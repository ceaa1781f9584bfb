"""A site with boosted links: every response lands in the right place.

The site has an htmx of its own, with attributes of the body that the list inherits,
and Django's LoginRequiredMiddleware.
"""

import pytest
from playwright.sync_api import expect

from tests.browser.devices_page import PATH, sign_in

ACCOUNT = "/tests/account/"
boosted = pytest.mark.parametrize(
    "site", ["boosted", "boosted_by_htmx_4"], indirect=True
)


@pytest.fixture
def here(ann):
    return ann.browse()


def follow(here, name, path):
    """Follow a boosted link of the site: the document stays the same."""
    here.page.evaluate("window.isTheSame = true")
    here.page.get_by_role("link", name=name, exact=True).click()
    here.page.wait_for_url(f"**{path}")
    here.settle()
    assert here.page.evaluate("window.isTheSame") is True
    here.path = path
    here.page.wait_for_load_state()


def expect_whole_page(here, heading):
    expect(here.page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(here.page.get_by_role("link", name="Home")).to_be_visible()
    expect(here.page.locator("#page")).to_have_count(1)
    expect(here.page.locator("main")).to_have_count(1)


def arrive(here):
    """Open the list by boosted links."""
    here.page.goto("/login/")
    here.page.goto("/")
    follow(here, "Your devices", PATH)
    here.wait()


@boosted
def test_a_boosted_link_leads_to_a_list_with_styles_and_actions(ann, here):
    first, second = ann.devices(2)
    arrive(here)
    expect_whole_page(here, "Your devices")
    # The site's own htmx is the only one.
    scripts = "[...document.scripts].map(script => script.src)"
    loaded = [src for src in here.page.evaluate(scripts) if "htmx" in src]
    assert len(loaded) == 1
    expect(here.list.locator("ul")).to_have_css("list-style-type", "none")
    with here.stays():
        here.rename(first, "Kitchen")
        expect(here.part("title", first)).to_have_text("Kitchen")
        here.sign_out(first)
        expect(here.message).to_have_text("Signed out: Kitchen (London, GB).")
        expect(here.part("sign-out", second)).to_be_focused()
        here.part("sign-out", second).press("Enter")
        expect(here.part("confirm", second)).to_be_focused()
        here.page.keyboard.press("Escape")
        expect(here.part("sign-out", second)).to_be_focused()
        expect(here.cancel()).to_have_count(0)
        here.ask_to_sign_out_others()
        here.part("confirmed").click()
        here.expect_count(1)
    expect_whole_page(here, "Your devices")


@boosted
def test_each_action_is_sent_once(ann, here):
    other = ann.device()
    arrive(here)
    # Arriving a second time must not make a second listener.
    follow(here, "Home", "/")
    follow(here, "Your devices", PATH)
    here.wait()
    asked = []
    here.page.on("request", lambda request: asked.append(request.method))
    here.refresh()
    here.ask_to_sign_out(other)
    here.part("confirmed", other).click()
    here.expect_count(1)
    assert asked == ["GET", "GET", "POST"]


@boosted
def test_a_failure_is_shown_on_a_boosted_page(ann, here):
    other = ann.device()
    arrive(here)
    here.page.route("**/revoke/*", lambda route: route.fulfill(status=500))
    here.sign_out(other)
    expect(here.message).to_contain_text("That didn't work.")
    here.page.unroute_all(behavior="wait")
    with here.page.expect_navigation():
        here.message.get_by_role("link").click()
    here.wait().expect_count(2)
    expect_whole_page(here, "Your devices")


@boosted
@pytest.mark.parametrize("path", [PATH, ACCOUNT])
def test_back_on_a_boosted_site_after_signing_out_shows_only_the_login_page(
    ann, here, path
):
    arrive(here)
    here.path = path
    here.open()
    here.ask_to_sign_out(here.id)
    here.part("confirmed", here.id).click()
    # LoginRequiredMiddleware refuses every other page.
    here.page.wait_for_url("**/login/**")
    here.page.go_back()
    here.page.wait_for_load_state()
    expect(here.page.get_by_label("Password")).to_be_visible()
    expect(here.page.locator("[data-wus]")).to_have_count(0)
    expect(here.page.locator("#page")).to_have_count(1)


@boosted
@pytest.mark.parametrize("opening", ["an action", "a refresh"])
def test_an_ended_own_session_leads_to_the_whole_login_page(
    ann, here, backstage, opening
):
    other = ann.device()
    arrive(here)
    here.ask_to_sign_out(other)
    backstage.revoke(pk=here.id)
    if opening == "an action":
        here.part("confirmed", other).click()
    else:
        here.come_to_the_front()
    here.expect_login_page(back_to=PATH)
    expect(here.page.locator("#page")).to_have_count(1)
    sign_in(here.page, ann.username)
    here.wait().expect_count(2)
    expect_whole_page(here, "Your devices")


@boosted
def test_a_boosted_link_after_the_end_of_the_session_shows_the_login_page(
    ann, here, backstage
):
    arrive(here)
    follow(here, "Home", "/")
    backstage.revoke(pk=here.id)
    here.page.get_by_role("link", name="Your devices", exact=True).click()
    expect(here.page.get_by_label("Password")).to_be_visible()
    expect(here.page.locator("#page")).to_have_count(1)
    expect(here.page.locator("[data-wus]")).to_have_count(0)


@boosted
def test_back_to_the_list_shows_its_current_state(ann, here, backstage):
    gone, other = ann.devices(2)
    arrive(here)
    here.ask_to_sign_out(other)
    follow(here, "Home", "/")
    backstage.revoke(pk=gone)
    here.page.go_back()
    here.page.wait_for_url(f"**{PATH}")
    here.wait().expect_count(2)
    expect_whole_page(here, "Your devices")
    assert here.ids == [here.id, other]
    # Nor does htmx keep a copy of the page.
    kept = here.page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}])"
    )
    assert other not in kept
    here.sign_out(other)
    here.expect_count(1)


@boosted
def test_back_and_forward_after_actions_never_show_a_part_of_a_page(ann, here):
    first, second = ann.devices(2)
    arrive(here)
    here.sign_out(first)
    here.expect_count(2)
    here.ask_for_name(second)
    follow(here, "Your account", ACCOUNT)
    here.wait()
    here.sign_out(second)
    here.expect_count(1)
    for move, heading in (
        (here.page.go_back, "Your devices"),
        (here.page.go_forward, "Your account"),
        (here.page.go_back, "Your devices"),
    ):
        move()
        here.wait()
        expect_whole_page(here, heading)
        here.expect_count(1)
        assert here.ids == [here.id]
    here.page.go_back()
    here.page.wait_for_url(f"{ann.site.address}/")
    expect(here.list).to_have_count(0)
    expect(here.page.locator("#page")).to_have_count(1)


@boosted
def test_a_message_is_not_shown_again_after_back(ann, here):
    other = ann.device()
    arrive(here)
    here.sign_out(other)
    expect(here.message).to_have_text("Signed out: Safari on iPhone (London, GB).")
    follow(here, "Home", "/")
    here.page.go_back()
    here.wait()
    expect(here.message).to_have_text("")


def test_back_and_forward_after_inline_actions_show_whole_pages(ann, here):
    first, second = ann.devices(2)
    here.page.goto("/")
    here.open()
    here.sign_out(first)
    here.expect_count(2)
    here.ask_to_sign_out(second)
    here.page.go_back()
    here.page.wait_for_url(f"{ann.site.address}/")
    expect(here.list).to_have_count(0)
    here.page.go_forward()
    here.wait().expect_count(2)
    expect(here.page.locator("html > head > title")).to_have_count(1)
    expect(here.page.get_by_role("heading", level=1)).to_be_visible()
    assert here.ids == [here.id, second]


def test_back_after_signing_out_here_leads_to_the_login_page(ann, here):
    ann.device()
    here.open()
    here.sign_out(here.id)
    here.page.wait_for_url(f"{ann.site.address}/")
    here.page.go_back()
    here.expect_login_page(back_to=PATH)


def test_back_after_signing_out_without_javascript_leads_to_the_login_page(ann):
    here = ann.browse(java_script_enabled=False).open()
    here.sign_out(here.id)
    here.page.wait_for_url(f"{ann.site.address}/")
    here.page.go_back()
    here.page.wait_for_url("**/login/**")
    expect(here.list).to_have_count(0)
