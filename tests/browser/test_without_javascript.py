"""The list without JavaScript: the same forms, with full pages and messages."""

import re

import pytest
from playwright.sync_api import expect

from sandbox.home.accounts import SAFARI_ON_IPHONE
from tests.browser.devices_page import PATH, sign_in
from tests.browser.visitor import LONDON


@pytest.fixture
def here(ann):
    return ann.browse(java_script_enabled=False)


def test_one_browser_signs_another_out(ann, here):
    there = ann.browse(SAFARI_ON_IPHONE, ip=LONDON, java_script_enabled=False).open()
    here.open().expect_count(2)
    here.ask_to_sign_out(there.id)
    asked = here.device(there.id).get_by_text("Sign out Safari on iPhone")
    expect(asked).to_be_visible()
    expect(here.part("confirm", there.id)).to_be_focused()
    assert here.ids == [here.id, there.id]
    here.part("confirmed", there.id).click()
    expect(here.message).to_have_text("Signed out: Safari on iPhone (London, GB).")
    here.expect_count(1)
    assert here.ids == [here.id]
    assert here.address == PATH
    # A message is shown once.
    expect(here.reload().message).to_have_text("")

    there.page.reload()
    there.expect_login_page(back_to=PATH)
    sign_in(there.page, ann.username)
    there.page.wait_for_url(f"**{PATH}")
    there.expect_count(2)


def test_a_question_can_be_cancelled(ann, here):
    other = ann.device()
    here.open()
    for ask in (here.ask_to_sign_out, here.ask_for_name):
        ask(other)
        here.cancel().click()
        expect(here.cancel()).to_have_count(0)
        assert here.address == PATH
    here.ask_to_sign_out_others()
    here.cancel().click()
    expect(here.part("sign-out-others")).to_have_role("button")
    assert here.ids == [here.id, other]


def test_a_device_gets_a_name(ann, here, backstage):
    other = ann.device()
    here.open()
    here.rename(other, "Kitchen")
    expect(here.message).to_have_text("The device is now called Kitchen.")
    expect(here.part("title", other)).to_have_text("Kitchen")
    assert here.address == PATH
    assert backstage.row(pk=other)["name"] == "Kitchen"


def test_a_name_that_is_refused_can_be_corrected(ann, here, backstage):
    other = ann.device()
    here.open()
    name = here.ask_for_name(other)
    name.evaluate("input => input.removeAttribute('maxlength')")
    name.fill("x" * 65)
    name.press("Enter")
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(name).to_have_value("x" * 65)
    expect(here.part("error", other)).to_contain_text("at most 64 characters")
    name.fill("Kitchen")
    name.press("Enter")
    expect(here.part("title", other)).to_have_text("Kitchen")


def test_show_more_leads_to_a_longer_page_which_actions_keep(ann, here):
    others = ann.devices(50)
    here.open()
    assert len(here.ids) == 10
    here.part("more").click()
    expect(here.part("title", others[9])).to_be_focused()
    assert len(here.ids) == 40
    here.sign_out(others[30])
    expect(here.message).to_have_text("Signed out: Chrome on Windows (London, GB).")
    assert len(here.ids) == 40
    assert others[30] not in here.ids


def test_sign_out_everywhere_else_says_how_many(ann, here):
    others = ann.devices(3)
    here.open()
    here.ask_to_sign_out_others()
    expect(here.part("confirm")).to_contain_text("Sign out 3 other devices?")
    assert here.ids == [here.id, *others]
    here.part("confirmed").click()
    expect(here.message).to_have_text("Signed out 3 other devices.")
    here.expect_count(1)
    expect(here.list).to_contain_text("You aren't signed in anywhere else.")


def test_not_you_signs_the_others_out_and_leads_to_a_new_password(ann, here, backstage):
    other = ann.device()
    here.open()
    here.ask_to_sign_out_others("not-you")
    here.part("confirmed").click()
    here.page.wait_for_url("**/password**")
    expect(here.page.get_by_text("Signed out 1 other device.")).to_be_visible()
    assert backstage.row(pk=other) is None
    assert here.open().ids == [here.id]


def test_signing_this_device_out_logs_out(ann, here, backstage):
    here.open()
    here.sign_out(here.id)
    here.page.wait_for_url(f"{ann.site.address}/")
    assert backstage.row(pk=here.id) is None
    here.page.goto(PATH)
    here.expect_login_page(back_to=PATH)


def test_signing_out_an_ended_device_shows_a_message(ann, here, backstage):
    gone = ann.device()
    here.open()
    here.ask_to_sign_out(gone)
    backstage.revoke(pk=gone)
    here.part("confirmed", gone).click()
    expect(here.message).to_have_text("That device is already signed out.")
    here.expect_count(1)
    assert here.address == PATH


def test_a_get_of_any_url_changes_nothing(ann, here, backstage):
    other = ann.device(name="Kitchen")
    here.open()
    here.ask_to_sign_out(other)
    forms = {here.page.url} | set(
        here.page.locator("form, a").evaluate_all(
            "found => found.map(e => e.action || e.href)"
        )
    )
    addresses = {url for url in forms if PATH in url} | {
        f"{PATH}revoke-others/",
        f"{PATH}revoke-others/?change_password=1",
        f"{PATH}{other}/revoke/",
        f"{PATH}{other}/rename/?name=Other",
        f"{PATH}?confirm=others",
        f"{PATH}?confirm={other}&proof=1",
    }
    assert any(url.endswith(f"{other}/revoke/") for url in forms)
    before = backstage.row(pk=other)
    for address in sorted(addresses):
        answer = here.page.context.request.get(address, max_redirects=0)
        is_action = re.search("/(revoke|rename|revoke-others)/", address)
        # The URL of an action redirects to the list, with the question.
        assert answer.status == (302 if is_action else 200), address
    assert backstage.row(pk=other) == before
    assert here.open().ids == [here.id, other]
