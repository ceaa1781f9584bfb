"""axe-core finds nothing wrong in any state, light or dark."""

import pytest

from tests.browser import axe
from tests.browser.states import STATES, five_hundred_devices
from tests.conftest import skip_or_fail


@pytest.fixture(scope="module", autouse=True)
def _axe():
    if not axe.PATH.exists():
        skip_or_fail("no axe-core: python -m tests.browser.axe")


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_no_violation_of_wcag(ann, state):
    here = STATES[state](ann, reduced_motion="reduce")
    here.settle()
    for scheme in ("light", "dark"):
        here.page.emulate_media(color_scheme=scheme)
        assert axe.violations(here.page) == [], scheme


def test_axe_finds_no_violation_of_wcag_in_a_list_of_500_devices(ann):
    here = five_hundred_devices(ann, reduced_motion="reduce")
    here.settle()
    assert axe.violations(here.page) == []
    here.page.emulate_media(color_scheme="dark")
    # Only the colours have changed.
    assert axe.violations(here.page, rules=["color-contrast"]) == []


def test_axe_would_find_a_violation(ann):
    here = STATES["shown"](ann)
    here.list.evaluate("list => list.append(document.createElement('img'))")
    found = axe.violations(here.page)
    assert any(violation.startswith("image-alt") for violation in found)


def test_the_dark_scheme_is_dark_and_the_light_one_light(ann):
    here = STATES["only_this_device"](ann)
    brightness = {}
    for scheme in ("light", "dark"):
        here.page.emulate_media(color_scheme=scheme)
        brightness[scheme] = here.summary.evaluate(
            """title => {
              const paint = document.createElement("canvas").getContext("2d");
              paint.fillStyle = getComputedStyle(title).color;
              paint.fillRect(0, 0, 1, 1);
              return paint.getImageData(0, 0, 1, 1).data.slice(0, 3).reduce((a, b) => a + b);
            }"""
        )
    assert brightness["dark"] > brightness["light"] + 200
