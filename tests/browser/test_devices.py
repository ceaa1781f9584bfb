"""Two people with their own browsers see only their own devices, on each engine."""

import pytest
from playwright.sync_api import expect

from sandbox.home.accounts import FIREFOX_ON_LINUX, SAFARI_ON_IPHONE
from tests.browser.devices_page import PATH, DevicesPage, sign_in
from tests.browser.visitor import LINKOPING, LONDON, SYDNEY

pytestmark = pytest.mark.parametrize("site", ["default", "cached_db"], indirect=True)


def signed_in(ann, user_agent, *, ip, username=None, password=None):
    """Sign in by the login page, and return the devices page."""
    devices = DevicesPage(ann.browser(user_agent, ip=ip).new_page())
    devices.page.goto(PATH)
    if username:
        sign_in(devices.page, username, password)
    else:
        sign_in(devices.page, ann.username)
    devices.page.wait_for_url(f"**{PATH}")
    return devices.wait()


def test_signing_in_from_two_browsers_lists_device_place_and_address(ann):
    linux = signed_in(ann, FIREFOX_ON_LINUX, ip=LINKOPING)
    iphone = signed_in(ann, SAFARI_ON_IPHONE, ip=LONDON)
    linux.reload().expect_count(2)
    here, there = map(linux.device, linux.ids)
    for text in ("This device", "Firefox on Linux", "Linköping, SE", LINKOPING):
        expect(here).to_contain_text(text)
    for text in ("Safari on iPhone", "London, GB", LONDON):
        expect(there).to_contain_text(text)
    expect(there).not_to_contain_text("This device")
    assert iphone.ids == linux.ids[::-1]
    expect(iphone.device(iphone.ids[0])).to_contain_text("This device")


def test_signing_out_in_one_browser_removes_its_row_only(ann):
    linux = signed_in(ann, FIREFOX_ON_LINUX, ip=LINKOPING)
    iphone = signed_in(ann, SAFARI_ON_IPHONE, ip=SYDNEY)
    _, other = iphone.ids
    iphone.page.get_by_role("button", name=f"Sign out {ann.username}").click()
    iphone.page.wait_for_url(f"{ann.site.address}/")
    iphone.page.goto(PATH)
    iphone.expect_login_page(back_to=PATH)
    assert linux.reload().ids == [other]


def test_a_device_that_is_signed_out_inline_gets_the_login_page(ann):
    here = ann.browse()
    there = ann.browse(SAFARI_ON_IPHONE, ip=LONDON).open()
    here.open()
    with here.stays():
        here.sign_out(there.id)
        here.expect_count(1)
    there.page.goto("/")
    expect(there.page.get_by_role("link", name="Sign in").first).to_be_visible()
    there.page.goto(PATH)
    there.expect_login_page(back_to=PATH)


def test_nobody_sees_the_devices_of_another_account(ann):
    here = ann.browse(ip=SYDNEY).open()
    victor = signed_in(
        ann, FIREFOX_ON_LINUX, ip=LONDON, username="victor", password="victor-demo"
    )
    assert here.id not in victor.ids
    expect(victor.list).not_to_contain_text(SYDNEY)
    assert here.reload().ids == [here.id]


def test_no_page_holds_a_session_key(ann):
    other = ann.device()
    here = ann.browse().open()
    cookies = {
        cookie["name"]: cookie["value"] for cookie in here.page.context.cookies()
    }
    for question in ("", f"?confirm={other}", f"?rename={here.id}", "?confirm=others"):
        assert cookies["sessionid"] not in here.open(question).page.content()


def test_an_editor_may_enter_the_wagtail_admin(ann):
    editor = signed_in(
        ann, FIREFOX_ON_LINUX, ip=LONDON, username="editor", password="editor-demo"
    )
    editor.page.goto("/admin/")
    expect(editor.page.get_by_role("heading", level=1).first).to_be_visible()
    assert editor.page.url.endswith("/admin/")
