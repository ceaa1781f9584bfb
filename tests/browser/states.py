"""States of the devices page, by their names."""

from __future__ import annotations

from playwright.sync_api import expect

from sandbox.home.accounts import CHROME_ON_ANDROID, SAFARI_ON_IPAD, SAFARI_ON_MAC
from tests.browser.devices_page import DevicesPage
from tests.browser.visitor import KYOTO, LONDON, SYDNEY, Visitor

LONG_NAME = "W" * 64


def with_others(ann: Visitor, **options) -> tuple[DevicesPage, str]:
    """Open a list of several kinds of devices; return it, and the id of one."""
    here = ann.browse(**options)
    # In reverse order: the list begins with the device used last.
    ann.device("curl/8.14", ip="198.51.100.7", minutes=90_000)
    ann.device("", ip="203.0.113.9", minutes=9_000)
    ann.device(SAFARI_ON_MAC, ip=LONDON, minutes=900, with_browser=True)
    ann.device(SAFARI_ON_IPAD, ip=KYOTO, minutes=90, name=LONG_NAME)
    other = ann.device(CHROME_ON_ANDROID, ip=SYDNEY, minutes=9)
    return here.open(), other


def shown(ann, **options):
    return with_others(ann, **options)[0]


def confirmation(ann, **options):
    here, other = with_others(ann, **options)
    here.ask_to_sign_out(other)
    return here


def confirmation_of_this_device(ann, **options):
    here, _ = with_others(ann, **options)
    here.ask_to_sign_out(here.id)
    return here


def rename(ann, **options):
    here, other = with_others(ann, **options)
    here.ask_for_name(other)
    return here


def refused_name(ann, **options):
    here, other = with_others(ann, **options)
    name = here.ask_for_name(other)
    name.evaluate("input => input.removeAttribute('maxlength')")
    name.fill("x" * 65)
    name.press("Enter")
    expect(here.part("error", other)).to_be_visible()
    return here


def others_confirmation(ann, **options):
    here, _ = with_others(ann, **options)
    here.ask_to_sign_out_others()
    return here


def not_you_confirmation(ann, **options):
    here, _ = with_others(ann, **options)
    here.ask_to_sign_out_others("not-you")
    return here


def message(ann, **options):
    here, other = with_others(ann, **options)
    here.sign_out(other)
    expect(here.message).to_contain_text("Chrome")
    return here


def failure(ann, **options):
    here, other = with_others(ann, **options)
    here.page.route("**/revoke/*", lambda route: route.fulfill(status=500))
    here.sign_out(other)
    expect(here.message.get_by_role("link")).to_be_visible()
    here.page.unroute_all(behavior="wait")
    return here


def only_this_device(ann, **options):
    return ann.browse(**options).open()


def five_hundred_devices(ann, **options):
    here = ann.browse(**options)
    ann.devices(499)
    here.open("?shown=475")
    here.part("more").click()
    expect(here.part("more")).to_have_count(0)
    assert len(here.ids) == 500
    return here


def session_ended(ann, **options):
    here = ann.browse(**options).open()
    with here.page.expect_navigation():
        here.page.evaluate(
            """() => {
              const form = document.createElement("form");
              Object.assign(form, { method: "post", action: "/tests/interrupted/" });
              document.body.append(form);
              form.submit();
            }"""
        )
    heading = here.page.get_by_role("heading", level=1)
    expect(heading).to_be_visible()
    expect(here.page.get_by_role("textbox")).to_have_count(0)
    expect(here.list).to_have_count(0)
    return here


STATES = {
    state.__name__: state
    for state in (
        shown,
        confirmation,
        confirmation_of_this_device,
        rename,
        refused_name,
        others_confirmation,
        not_you_confirmation,
        message,
        failure,
        only_this_device,
        session_ended,
    )
}
