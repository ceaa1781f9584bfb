"""Wagtail's admin: a manager finds sessions, and signs them out."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from sandbox.home.accounts import CHROME_ON_WINDOWS, SAFARI_ON_IPHONE
from tests.browser import axe
from tests.browser.devices_page import PATH
from tests.browser.visitor import LONDON
from tests.conftest import skip_or_fail

SESSIONS = "/admin/snippets/wagtail_user_sessions/session/"
BULK = "/admin/bulk/wagtail_user_sessions/session/delete/"
OWN = "/admin/account/devices/"


@pytest.fixture
def site(sites):
    """One site is enough: the theme doesn't change Wagtail's admin."""
    return sites("theme")


@pytest.fixture
def admitted(site, chromium):
    """Pages of the admin, for the accounts of the demo: ``admitted("editor")``."""
    contexts = []

    def enter(username, **options):
        context = chromium.new_context(base_url=site.address, **options)
        contexts.append(context)
        session = site.backstage.session(
            username=username, user_agent=CHROME_ON_WINDOWS, ip=LONDON
        )
        context.add_cookies(
            [{"name": "sessionid", "value": session["key"], "url": site.address}]
        )
        context.set_default_timeout(10_000)
        return context.new_page()

    yield enter
    for context in contexts:
        context.close()


def confirm(page, reason="", button="Yes, sign out"):
    if reason:
        page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name=button, exact=True).click()


def choose(page, title, item):
    """Choose an item in the menu of the row with this title."""
    row = page.get_by_role("row").filter(has_text=title)
    row.get_by_role("button", name="More options").click()
    page.get_by_role("link", name=item, exact=True).click()


def search(page, text, *, count):
    page.get_by_role("textbox", name="Search term").fill(text)
    noun = "match" if count == 1 else "matches"
    expect(page.get_by_role("alert").filter(has_text=f"{count} {noun}")).to_be_visible()


def is_signed_in(devices):
    """Return whether the browser's next request is admitted."""
    devices.page.goto(PATH)
    return urlsplit(devices.page.url).path == PATH


def test_an_editor_finds_a_session_looks_at_it_and_signs_it_out(admitted, ann):
    laptop, phone = ann.browse(CHROME_ON_WINDOWS), ann.browse(SAFARI_ON_IPHONE)
    page = admitted("editor")
    page.goto(SESSIONS)
    search(page, ann.username, count=2)
    page.get_by_role("link", name="Safari on iPhone").click()
    expect(page.get_by_role("heading", name="Session data")).to_be_visible()
    expect(page.get_by_text("_auth_user_hash")).to_be_visible()
    page.get_by_role("link", name="Sign out", exact=True).click()
    confirm(page, "lost phone")
    expect(page.get_by_text("1 session was signed out.")).to_be_visible()
    assert not is_signed_in(phone)
    assert is_signed_in(laptop)
    search(page, ann.username, count=1)
    page.get_by_role("link", name="Chrome on Windows").click()
    history = f"Signed out Safari on iPhone of {ann.username}: lost phone"
    expect(page.get_by_text(history)).to_be_visible()


def test_an_editor_signs_out_all_that_the_filters_leave(admitted, ann):
    here = ann.browse(CHROME_ON_WINDOWS)
    phone = ann.browse(SAFARI_ON_IPHONE)
    ann.devices(30)
    page = admitted("editor")
    page.goto(SESSIONS)
    search(page, ann.username, count=32)
    page.get_by_role("button", name="Show filters").click()
    page.get_by_role("button", name="Kind of device").click()
    page.get_by_role("checkbox", name="desktop").check()
    expect(page.get_by_text("There are 31 matches")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("checkbox", name="Select all").first.check()
    page.get_by_role("button", name="Select all sessions in the listing").click()
    page.get_by_role("link", name="Sign out the selected sessions").click()
    expect(page.get_by_text("Sign out 31 sessions?")).to_be_visible()
    confirm(page)
    expect(page.get_by_text("31 sessions were signed out.")).to_be_visible()
    assert not is_signed_in(here)
    assert is_signed_in(phone)


def test_an_editor_signs_out_a_ticked_session_after_searching(admitted, ann):
    laptop, phone = ann.browse(CHROME_ON_WINDOWS), ann.browse(SAFARI_ON_IPHONE)
    page = admitted("editor")
    page.goto(SESSIONS)
    search(page, ann.username, count=2)
    with page.expect_response(lambda answer: "/results/" in answer.url):
        # Wagtail searches once more as its field is left, which unticks all.
        page.keyboard.press("Tab")
    row = page.get_by_role("row").filter(has_text="Safari on iPhone")
    row.get_by_role("checkbox").check()
    page.get_by_role("link", name="Sign out the selected sessions").click()
    expect(page.get_by_text("Sign out 1 session?")).to_be_visible()
    confirm(page)
    expect(page.get_by_text("1 session was signed out.")).to_be_visible()
    assert not is_signed_in(phone)
    assert is_signed_in(laptop)


LABELS_OUTSIDE = """
    () => [...document.querySelectorAll(".wus-columns__hour")].filter((label) => {
      const box = label.getBBox();
      return box.x < 0 || box.x + box.width > 240;
    }).length
"""


def test_the_hours_of_the_chart_stay_inside_it_from_right_to_left(admitted):
    page = admitted("admin", locale="ar")
    page.goto(SESSIONS)
    assert page.evaluate("document.documentElement.dir") == "rtl"
    assert page.locator(".wus-columns__hour").count() == 4
    assert page.evaluate(LABELS_OUTSIDE) == 0


def test_a_user_is_signed_out_everywhere_and_the_log_names_it(admitted, ann):
    laptop, phone = ann.browse(CHROME_ON_WINDOWS), ann.browse(SAFARI_ON_IPHONE)
    page = admitted("admin")
    page.goto(f"/admin/users/?q={ann.username}")
    choose(page, ann.username, "Sessions")
    expect(page.get_by_role("alert").filter(has_text="2 matches")).to_be_visible()
    choose(page, "Safari on iPhone", "Sign out everywhere")
    expect(page.get_by_text(f"Sign out 2 sessions of {ann.username}?")).to_be_visible()
    confirm(page, "phished", button="Yes, sign out everywhere")
    expect(page.get_by_text("2 sessions were signed out.")).to_be_visible()
    assert not is_signed_in(laptop)
    assert not is_signed_in(phone)
    page.goto("/admin/reports/site-history/")
    entry = f"Signed out Chrome on Windows of {ann.username}: phished"
    expect(page.get_by_text(entry)).to_be_visible()


def test_the_own_devices_are_signed_out_inline(admitted, site):
    page, other = admitted("editor"), admitted("editor")
    other.goto("/admin/")
    page.goto(OWN)
    heading = page.get_by_role("heading", name="You are signed in on")
    before = int(heading.inner_text().split()[5])
    page.evaluate("window.isTheSame = true")
    device = page.locator(".wus-device:not(.wus-device--current)").first
    device.get_by_role("button", name="Sign out").click()
    page.locator("[id^=wus-confirmed]").click()
    expect(page.locator("#wus-message")).to_contain_text("Signed out")
    assert int(heading.inner_text().split()[5]) == before - 1
    assert page.evaluate("window.isTheSame") is True


@pytest.fixture(scope="module")
def _axe():
    if not axe.PATH.exists():
        skip_or_fail("no axe-core: python -m tests.browser.axe")


@pytest.mark.usefixtures("_axe")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_only_violations_that_wagtails_own_listing_has(admitted, ann, scheme):
    pk = ann.device()
    page = admitted("admin", color_scheme=scheme, reduced_motion="reduce")
    page.goto("/admin/users/")
    known = {line.split(":")[0] for line in axe.violations(page)}
    for path in (
        SESSIONS,
        f"{SESSIONS}?q={ann.username}",
        f"{SESSIONS}inspect/{pk}/",
        f"{SESSIONS}sign-out/{pk}/",
        f"{SESSIONS}sign-out/everybody/",
        f"{BULK}?id={pk}",
        OWN,
        f"{OWN}?confirm=others",
        "/admin/",
    ):
        page.goto(path)
        found = axe.violations(page)
        assert [line for line in found if line.split(":")[0] not in known] == [], path


@pytest.mark.parametrize("width", [375, 1280])
def test_the_charts_fit_any_screen(admitted, width):
    page = admitted("editor", viewport={"width": width, "height": 800})
    page.goto(SESSIONS)
    box = page.locator(".wus-picture").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    page.get_by_text("The figures as tables").click()
    expect(
        page.get_by_role("table").filter(has_text="Kind of device").first
    ).to_be_visible()


def test_the_console_has_no_message(admitted):
    page = admitted("editor")
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    for path in (SESSIONS, f"{SESSIONS}?q=vera", OWN):
        page.goto(path)
        page.wait_for_load_state("networkidle")
    assert said == []
