"""Everything can be done with the keyboard alone, and the focus is seen."""

import pytest
from playwright.sync_api import expect

# The look of the focused element with the focus and without. The focus is restored.
LOOKS = """
() => {
  const element = document.activeElement;
  const look = () => {
    const { outlineStyle, outlineWidth, outlineColor, boxShadow } = getComputedStyle(element);
    const outline = outlineStyle === "none" || outlineWidth === "0px"
      ? "none" : `${outlineStyle} ${outlineWidth} ${outlineColor}`;
    return `${outline}; ${boxShadow}`;
  };
  const focused = look();
  element.blur();
  const blurred = look();
  element.focus();
  return [focused, blurred];
}
"""


@pytest.fixture(params=["default", "theme", "htmx_4"])
def site(request, sites):
    return sites(request.param)


@pytest.fixture
def here(ann):
    return ann.browse(reduced_motion="reduce")


def tab_to(here, target):
    """Press Tab until the target has the focus, which must be visible each time."""
    for _ in range(80):
        here.page.keyboard.press("Tab")
        if here.page.evaluate("document.activeElement === document.body"):
            continue
        focused, blurred = here.page.evaluate(LOOKS)
        name = here.page.evaluate("document.activeElement.outerHTML.slice(0, 120)")
        assert focused != blurred, f"the focus isn't seen: {name}"
        if target.evaluate("found => found === document.activeElement"):
            return
    raise AssertionError(f"Tab never comes to {target}")


def press(here, key):
    here.page.keyboard.press(key)
    here.settle()


def test_a_device_is_signed_out(ann, here):
    first, second = ann.devices(2)
    here.open()
    tab_to(here, here.part("sign-out", first))
    press(here, "Enter")
    expect(here.part("confirm", first)).to_be_focused()
    press(here, "Escape")
    expect(here.part("sign-out", first)).to_be_focused()
    press(here, "Space")
    expect(here.part("confirm", first)).to_be_focused()
    tab_to(here, here.part("confirmed", first))
    press(here, "Space")
    expect(here.device(first)).to_have_count(0)
    expect(here.part("sign-out", second)).to_be_focused()
    here.expect_count(2)


def test_a_device_is_renamed(ann, here):
    other = ann.device()
    here.open()
    tab_to(here, here.part("rename", other))
    press(here, "Space")
    expect(here.part("name", other)).to_be_focused()
    here.page.keyboard.type("Kitchen")
    tab_to(here, here.cancel())
    press(here, "Enter")
    expect(here.part("rename", other)).to_be_focused()
    press(here, "Enter")
    expect(here.part("name", other)).to_be_focused()
    expect(here.part("name", other)).to_have_value("")
    here.page.keyboard.type("Attic")
    tab_to(here, here.device(other).get_by_role("button", name="Save"))
    press(here, "Enter")
    expect(here.part("title", other)).to_have_text("Attic")
    expect(here.part("rename", other)).to_be_focused()


def test_all_others_are_signed_out(ann, here):
    ann.devices(30)
    here.open()
    tab_to(here, here.part("more"))
    press(here, "Enter")
    expect(here.part("more")).to_have_count(0)
    tab_to(here, here.part("sign-out-others"))
    press(here, "Enter")
    expect(here.part("confirm")).to_be_focused()
    tab_to(here, here.part("confirmed"))
    press(here, "Enter")
    here.expect_count(1)
    expect(here.summary).to_be_focused()


def test_not_you_leads_to_a_new_password(ann, here, backstage):
    other = ann.device()
    here.open()
    tab_to(here, here.part("not-you"))
    press(here, "Enter")
    tab_to(here, here.part("confirmed"))
    here.page.keyboard.press("Enter")
    here.page.wait_for_url("**/password**")
    assert backstage.row(pk=other) is None


def test_this_device_is_signed_out(ann, here, backstage):
    here.open()
    tab_to(here, here.part("sign-out", here.id))
    press(here, "Enter")
    expect(here.part("confirm", here.id)).to_be_focused()
    tab_to(here, here.part("confirmed", here.id))
    here.page.keyboard.press("Enter")
    here.page.wait_for_url(f"{ann.site.address}/")
    assert backstage.row(pk=here.id) is None


def test_the_page_is_reloaded_after_a_failure(ann, here):
    other = ann.device()
    here.open()
    here.page.route("**confirm=**", lambda route: route.fulfill(status=500))
    tab_to(here, here.part("sign-out", other))
    press(here, "Enter")
    link = here.message.get_by_role("link", name="Reload the page")
    expect(link).to_be_visible()
    for _ in range(40):
        here.page.keyboard.press("Shift+Tab")
        if link.evaluate("found => found === document.activeElement"):
            break
    expect(link).to_be_focused()
    with here.page.expect_navigation():
        here.page.keyboard.press("Enter")
    here.wait()
    expect(here.message).to_have_text("")
