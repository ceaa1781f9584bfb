"""The browser reports no violation of the strict policy, and no other error."""

import pytest
from playwright.sync_api import expect

from tests.browser.devices_page import PATH
from tests.browser.states import STATES

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
WATCH = """
document.addEventListener("securitypolicyviolation", event => {
  console.error(`violated: ${event.violatedDirective} ${event.blockedURI}`);
});
"""


# Messages about failures that a test causes, and about Django's password form.
EXPECTED = (
    "the server responded with a status of",
    "Response Status Error Code 500",
    "Password forms should have",
)


class Reports(list):
    """Unexpected messages of a page's console."""

    def __init__(self, page):
        super().__init__()
        page.add_init_script(WATCH)
        page.on("console", self.read)
        page.on("pageerror", lambda error: self.append(str(error)))

    def read(self, entry):
        is_expected = any(text in entry.text for text in EXPECTED)
        if not is_expected:
            self.append(f"{entry.type}: {entry.text}")


@pytest.fixture(params=["default", "theme", "htmx_4"])
def site(request, sites):
    return sites(request.param)


@pytest.fixture
def watched(ann):
    """A visitor; ``reports()`` returns the messages of all their pages' consoles."""
    browse = ann.browse
    reports = []

    def browse_watched(*arguments, **options):
        devices = browse(*arguments, **options)
        reports.append(Reports(devices.page))
        return devices

    ann.browse = browse_watched
    ann.reports = lambda: [report for page in reports for report in page]
    return ann


# The actions below don't reach these states.
@pytest.mark.parametrize("state", ["refused_name", "failure", "session_ended"])
def test_nothing_is_reported_when_something_fails(watched, state):
    here = STATES[state](watched)
    here.settle()
    here.page.wait_for_load_state()
    assert watched.reports() == []


def test_nothing_is_reported_by_any_action(watched):
    here = watched.browse()
    first, second = watched.devices(2)
    watched.devices(27)
    here.open()
    here.part("more").click()
    expect(here.part("more")).to_have_count(0)
    here.rename(first, "Kitchen")
    expect(here.part("title", first)).to_have_text("Kitchen")
    here.ask_to_sign_out(second)
    here.cancel().click()
    expect(here.cancel()).to_have_count(0)
    here.sign_out(second)
    expect(here.device(second)).to_have_count(0)
    here.refresh()
    here.ask_to_sign_out_others()
    here.page.keyboard.press("Escape")
    expect(here.cancel()).to_have_count(0)
    here.ask_to_sign_out_others()
    here.part("confirmed").click()
    here.expect_count(1)
    watched.device()
    here.reload().ask_to_sign_out_others("not-you")
    here.part("confirmed").click()
    here.page.wait_for_url("**/password**")
    here.open()
    here.sign_out(here.id)
    here.page.wait_for_url(f"{watched.site.address}/")
    here.page.goto(PATH)
    here.expect_login_page(back_to=PATH)
    assert watched.reports() == []


def test_a_violation_of_the_policy_would_be_reported(watched):
    here = watched.browse().open()
    here.page.evaluate(
        "document.head.append(Object.assign(document.createElement('style'),"
        " { textContent: 'body { margin: 0 }' }))"
    )
    here.page.wait_for_timeout(100)
    assert any("violated: style-src" in report for report in watched.reports())


def test_the_pages_of_visitors_have_the_policy_and_the_admin_has_none(ann):
    here = ann.browse()
    for path in (PATH, f"{PATH}?confirm=others", "/", "/login/"):
        headers = here.page.request.get(path, max_redirects=0).headers
        assert headers["content-security-policy"] == POLICY
    fragment = here.page.request.get(PATH, headers={"HX-Request": "true"})
    assert fragment.headers["content-security-policy"] == POLICY
    for path in ("/admin/", "/admin/login/"):
        answer = here.page.request.get(path, max_redirects=0)
        assert "content-security-policy" not in answer.headers
