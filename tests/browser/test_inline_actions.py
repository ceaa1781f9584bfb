"""Inline actions of the list, and the focus after each."""

import pytest
from playwright.sync_api import expect

from sandbox.home.accounts import CHROME_ON_ANDROID, SAFARI_ON_IPHONE
from tests.browser.devices_page import PATH, sign_in
from tests.browser.visitor import LONDON, SYDNEY


@pytest.fixture(params=["default", "theme", "htmx_4"])
def site(request, sites):
    return sites(request.param)


@pytest.fixture
def here(ann):
    return ann.browse()


def test_one_browser_signs_another_out_and_stays_where_it_is(ann):
    here = ann.browse()
    there = ann.browse(SAFARI_ON_IPHONE, ip=LONDON).open()
    here.open()
    here.expect_count(2)
    with here.stays():
        here.part("sign-out", there.id).click()
        asked = here.device(there.id).get_by_text("Sign out Safari on iPhone")
        expect(asked).to_be_visible()
        expect(here.part("confirm", there.id)).to_be_focused()
        here.expect_count(2)
        here.part("confirmed", there.id).click()
        expect(here.device(there.id)).to_have_count(0)
        here.expect_count(1)
        expect(here.message).to_have_text("Signed out: Safari on iPhone (London, GB).")
        expect(here.summary).to_be_focused()
    assert here.ids == [here.id]

    there.page.reload()
    there.expect_login_page(back_to=PATH)
    sign_in(there.page, ann.username)
    there.page.wait_for_url(f"**{PATH}")
    there.wait().expect_count(2)


def test_the_focus_goes_to_the_device_that_took_the_place_of_the_one_signed_out(
    ann, here
):
    first, second, third = ann.devices(3)
    here.open()
    with here.stays():
        here.sign_out(second)
        expect(here.part("sign-out", third)).to_be_focused()
        here.sign_out(third)
        # That was the last one.
        expect(here.part("sign-out", first)).to_be_focused()
        here.expect_count(2)


@pytest.mark.parametrize("leave", ["Escape", "Cancel"])
def test_a_cancelled_question_gives_the_focus_back(ann, here, leave):
    other = ann.device()
    here.open()
    questions = [
        (here.part("sign-out", other), here.part("confirm", other)),
        (here.part("sign-out", here.id), here.part("confirm", here.id)),
        (here.part("rename", other), here.part("name", other)),
        (here.part("sign-out-others"), here.part("confirm")),
        (here.part("not-you"), here.part("confirm")),
    ]
    with here.stays():
        for opener, question in questions:
            expect(opener).to_have_role("button")
            opener.click()
            expect(question).to_be_focused()
            here.settle()
            if leave == "Escape":
                here.page.keyboard.press("Escape")
            else:
                here.cancel().click()
            expect(question).to_have_count(0)
            expect(opener).to_have_role("button")
            expect(opener).to_be_focused()
    assert here.ids == [here.id, other]


def test_a_device_gets_a_name_and_loses_it_again(ann, here, backstage):
    other = ann.device()
    here.open()
    with here.stays():
        expect(here.ask_for_name(other)).to_be_focused()
        here.part("name", other).fill("Kitchen")
        here.part("name", other).press("Enter")
        expect(here.part("title", other)).to_have_text("Kitchen")
        expect(here.message).to_have_text("The device is now called Kitchen.")
        expect(here.part("rename", other)).to_be_focused()
        assert backstage.row(pk=other)["name"] == "Kitchen"
        here.rename(other, "")
        expect(here.part("title", other)).to_have_text("Safari on iPhone")
        expect(here.part("rename", other)).to_be_focused()
    assert backstage.row(pk=other)["name"] == ""


def test_a_name_that_is_refused_can_be_corrected(ann, here, backstage):
    other = ann.device()
    here.open()
    with here.stays():
        name = here.ask_for_name(other)
        # A client can bypass the field's own limit.
        name.evaluate("input => input.removeAttribute('maxlength')")
        name.fill("x" * 65)
        name.press("Enter")
        expect(name).to_have_attribute("aria-invalid", "true")
        expect(name).to_be_focused()
        expect(name).to_have_value("x" * 65)
        expect(name).to_have_accessible_description(
            "Leave it empty to take the name away. "
            "Ensure this value has at most 64 characters (it has 65)."
        )
        assert backstage.row(pk=other)["name"] == ""
        name.fill("x" * 64)
        name.press("Enter")
        expect(here.part("title", other)).to_have_text("x" * 64)


def test_show_more_leads_on_to_the_first_device_that_was_hidden(ann, here):
    others = ann.devices(50)
    here.open()
    assert len(here.ids) == 10
    expect(here.list).to_contain_text("41 devices are not shown.")
    with here.stays():
        here.part("more").click()
        expect(here.part("title", others[9])).to_be_focused()
        assert len(here.ids) == 40
        here.part("more").click()
        expect(here.part("title", others[39])).to_be_focused()
        expect(here.part("more")).to_have_count(0)
        assert here.ids == [here.id, *others]
        # And the list stays as long as it is.
        here.sign_out(others[40])
        expect(here.part("sign-out", others[41])).to_be_focused()
        assert len(here.ids) == 50


def test_sign_out_everywhere_else_says_how_many_before_and_after(ann, here):
    others = ann.devices(3)
    phone = ann.browse(SAFARI_ON_IPHONE, ip=LONDON).open()
    here.open()
    with here.stays():
        here.ask_to_sign_out_others()
        expect(here.part("confirm")).to_be_focused()
        expect(here.part("confirm")).to_contain_text("Sign out 4 other devices?")
        assert here.ids == [here.id, phone.id, *others]
        here.part("confirmed").click()
        here.expect_count(1)
        expect(here.summary).to_be_focused()
        expect(here.message).to_have_text("Signed out 4 other devices.")
        expect(here.list).to_contain_text("You aren't signed in anywhere else.")
    assert here.ids == [here.id]
    phone.page.reload()
    phone.expect_login_page(back_to=PATH)


def test_not_you_signs_the_others_out_and_leads_to_a_new_password(ann, here):
    phone = ann.browse(SAFARI_ON_IPHONE, ip=LONDON).open()
    here.open()
    with here.stays():
        here.ask_to_sign_out_others("not-you")
        expect(here.part("confirm")).to_be_focused()
        expect(here.part("confirm")).to_contain_text("Sign out 1 other device")
    here.part("confirmed").click()
    here.page.wait_for_url("**/password**")
    expect(here.page.locator("input[type=password]").first).to_be_visible()
    phone.page.reload()
    phone.expect_login_page(back_to=PATH)
    assert here.open().ids == [here.id]


def test_signing_this_device_out_logs_out_and_leaves_the_page(ann, here, backstage):
    ann.device()
    here.open()
    with here.stays():
        here.ask_to_sign_out(here.id)
        expect(here.part("confirm", here.id)).to_contain_text(
            "You will have to sign in again."
        )
    here.part("confirmed", here.id).click()
    here.page.wait_for_url(f"{ann.site.address}/")
    assert backstage.row(pk=here.id) is None
    here.page.goto(PATH)
    here.expect_login_page(back_to=PATH)


def test_signing_out_an_ended_device_shows_a_message(ann, here, backstage):
    gone = ann.device(CHROME_ON_ANDROID, ip=SYDNEY, minutes=1)
    also_gone = ann.device(minutes=2)
    here.open()
    with here.stays():
        here.ask_to_sign_out(gone)
        backstage.revoke(pk=gone)
        backstage.revoke(pk=also_gone)
        here.part("confirmed", gone).click()
        here.expect_count(1)
        expect(here.message).to_have_text("That device is already signed out.")
        expect(here.summary).to_be_focused()
    assert here.ids == [here.id]


@pytest.mark.parametrize("opener", ["sign-out", "rename"])
def test_a_question_about_an_ended_device_shows_a_message(ann, here, backstage, opener):
    gone, other = ann.devices(2)
    here.open()
    backstage.revoke(pk=gone)
    with here.stays():
        here.part(opener, gone).click()
        expect(here.message).to_have_text("That device is already signed out.")
        here.expect_count(2)
        # Its button has gone with it.
        expect(here.summary).to_be_focused()
    assert here.ids == [here.id, other]
