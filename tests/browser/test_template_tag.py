"""``{% device_list %}`` in a page of the site's own."""

import pytest
from playwright.sync_api import expect

ACCOUNT = "/tests/account/"


@pytest.fixture
def here(ann):
    return ann.browse(path=ACCOUNT)


@pytest.fixture(params=["default", "theme", "boosted"])
def site(request, sites):
    return sites(request.param)


def test_the_list_acts_inline_in_the_page_that_has_the_tag(ann, here):
    first, second = ann.devices(2)
    ann.devices(30)
    here.open()
    with here.stays():
        here.part("more").click()
        expect(here.part("more")).to_have_count(0)
        here.rename(first, "Kitchen")
        expect(here.message).to_have_text("The device is now called Kitchen.")
        here.sign_out(first)
        expect(here.message).to_have_text("Signed out: Kitchen (London, GB).")
        here.ask_to_sign_out(second)
        here.page.keyboard.press("Escape")
        expect(here.cancel()).to_have_count(0)
        here.refresh()
        here.ask_to_sign_out_others()
        here.part("confirmed").click()
        here.expect_count(1)
    expect(here.page.get_by_role("heading", level=1)).to_have_text("Your account")
    assert here.ids == [here.id]


def test_an_ended_own_session_leads_to_the_login_page(ann, here, backstage):
    other = ann.device()
    here.open()
    here.ask_to_sign_out(other)
    backstage.revoke(pk=here.id)
    here.part("confirmed", other).click()
    here.page.wait_for_url("**/login/**")
    expect(here.page.get_by_label("Password")).to_be_visible()
    expect(here.list).to_have_count(0)
