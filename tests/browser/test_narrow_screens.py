"""On the narrowest screens nothing scrolls sideways or is cut off."""

import pytest
from playwright.sync_api import expect

from tests.browser.states import LONG_NAME, STATES

# Visible elements that reach beyond the screen.
CUT_OFF = """
() => [...document.querySelectorAll("main *")].filter(element => {
  const box = element.getBoundingClientRect();
  const isSeen = box.width > 1 && box.height > 1;
  return isSeen && (box.left < -0.5 || box.right > document.documentElement.clientWidth + 0.5);
}).map(element => element.outerHTML.slice(0, 120))
"""


def expect_to_fit(here, width):
    here.page.set_viewport_size({"width": width, "height": 800})
    assert here.page.evaluate("document.documentElement.clientWidth") == width
    assert here.page.evaluate("document.documentElement.scrollWidth") == width
    assert here.page.evaluate(CUT_OFF) == []


@pytest.mark.parametrize("state", STATES)
def test_every_state_fits_a_phone_in_both_directions(ann, state):
    here = STATES[state](ann)
    if state == "shown":
        expect(here.list).to_contain_text(LONG_NAME)
        expect(here.list).to_contain_text("2001:db8:85a3:8d3:1319:8a2e:370:7348")
    for direction in ("ltr", "rtl"):
        here.page.locator("html").evaluate(
            "(html, dir) => { html.dir = dir }", direction
        )
        for width in (375, 320):
            expect_to_fit(here, width)


@pytest.mark.parametrize(
    "state", ["shown", "confirmation", "refused_name", "others_confirmation"]
)
def test_arabic_fits_every_screen(ann, state):
    here = STATES[state](ann, locale="ar")
    expect(here.page.locator("html")).to_have_attribute("dir", "rtl")
    for width in (320, 375, 768, 1280):
        expect_to_fit(here, width)


def test_the_page_is_mirrored_from_right_to_left(ann):
    here = STATES["shown"](ann, locale="ar")
    here.page.set_viewport_size({"width": 1280, "height": 800})
    icon = here.device(here.id).locator("svg").first.bounding_box()
    title = here.part("title", here.id).locator("bdi").bounding_box()
    button = here.part("sign-out", here.id).bounding_box()
    middle = 1280 / 2
    assert icon["x"] > middle > button["x"]
    assert title["x"] + title["width"] > middle
