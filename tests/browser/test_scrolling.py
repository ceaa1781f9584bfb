"""The page stays where it is while the list is replaced."""

import pytest
from playwright.sync_api import expect

IN_THE_MIDDLE = "element => element.scrollIntoView({ block: 'center' })"
SIZES = [(1280, 720), (375, 667)]


@pytest.fixture
def here(ann):
    return ann.browse(reduced_motion="reduce")


def expect_to_be_where_it_was(here, scroll):
    assert abs(here.page.evaluate("scrollY") - scroll) <= 3
    expect(here.page.locator(":focus")).to_be_in_viewport(ratio=0.99)


@pytest.mark.parametrize("leave", ["Escape", "Cancel"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_opening_and_leaving_a_question_keeps_the_scroll_position(
    ann, here, leave, width, height
):
    third = ann.devices(7)[2]
    here.page.set_viewport_size({"width": width, "height": height})
    here.open()
    for opener in ("rename", "sign-out"):
        here.part(opener, third).evaluate(IN_THE_MIDDLE)
        scroll = here.page.evaluate("scrollY")
        assert scroll > 100
        here.part(opener, third).click()
        expect(here.cancel()).to_be_visible()
        here.settle()
        expect_to_be_where_it_was(here, scroll)
        if leave == "Escape":
            here.page.keyboard.press("Escape")
        else:
            here.cancel().click()
        expect(here.cancel()).to_have_count(0)
        here.settle()
        expect(here.part(opener, third)).to_be_focused()
        expect_to_be_where_it_was(here, scroll)


def test_a_focused_element_comes_into_view(ann, here):
    others = ann.devices(40)
    here.page.set_viewport_size({"width": 1280, "height": 720})
    here.open()
    here.part("more").evaluate(IN_THE_MIDDLE)
    here.part("more").click()
    expect(here.part("title", others[9])).to_be_focused()
    expect(here.part("title", others[9])).to_be_in_viewport(ratio=0.99)
    here.ask_to_sign_out_others()
    here.part("confirmed").click()
    expect(here.summary).to_be_focused()
    expect(here.summary).to_be_in_viewport(ratio=0.99)


def test_a_refresh_keeps_the_scroll_position(ann, here):
    others = ann.devices(9)
    here.page.set_viewport_size({"width": 1280, "height": 720})
    here.open()
    here.part("sign-out", others[0]).focus()
    here.device(others[6]).evaluate(IN_THE_MIDDLE)
    scroll = here.page.evaluate("scrollY")
    here.refresh()
    expect(here.part("sign-out", others[0])).to_be_focused()
    assert abs(here.page.evaluate("scrollY") - scroll) <= 3
