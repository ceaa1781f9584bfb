from sandbox.home.accounts import FIREFOX_ON_LINUX, SAFARI_ON_IPHONE

LONDON = "81.2.69.160"
LINKOPING = "89.160.20.112"
SYDNEY = "1.1.1.9"


def sign_in(page, username):
    page.goto("/login/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(f"{username}-demo")
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/account/devices/")


def listed(page):
    """The text of each device on the page."""
    return (
        page.get_by_role("main").get_by_role("list").locator("> li").all_inner_texts()
    )


def find(devices, *, ip):
    """The one device with this address."""
    (device,) = [text for text in devices if ip in text]
    return device


def test_signing_in_from_two_browsers_lists_who_what_and_where(browse):
    linux = browse(FIREFOX_ON_LINUX, ip=LINKOPING)
    iphone = browse(SAFARI_ON_IPHONE, ip=LONDON)
    sign_in(linux, "victor")
    before = len(listed(linux))
    sign_in(iphone, "victor")

    linux.goto("/account/devices/")
    devices = listed(linux)
    assert len(devices) == before + 1
    assert "This device" in devices[0]
    assert [text for text in devices if "This device" in text] == devices[:1]
    assert "Firefox on Linux" in devices[0]
    assert "Linköping, SE" in devices[0]
    assert LINKOPING in devices[0]
    other = find(devices, ip=LONDON)
    assert "Safari on iPhone" in other
    assert "London, GB" in other
    assert "This device" in listed(iphone)[0]
    assert "Safari on iPhone" in listed(iphone)[0]


def test_signing_out_of_one_browser_removes_its_row_only(browse):
    linux = browse(FIREFOX_ON_LINUX, ip=LINKOPING)
    iphone = browse(SAFARI_ON_IPHONE, ip=SYDNEY)
    sign_in(linux, "admin")
    sign_in(iphone, "admin")
    linux.reload()
    before = listed(linux)
    gone = find(before, ip=SYDNEY)

    iphone.get_by_role("button", name="Sign out").click()
    iphone.wait_for_url("**/")
    iphone.goto("/account/devices/")
    assert "/login/" in iphone.url

    linux.reload()
    assert [text.splitlines()[0] for text in listed(linux)] == [
        text.splitlines()[0] for text in before if text != gone
    ]


def test_nobody_sees_the_devices_of_another_account(browse):
    vera = browse(SAFARI_ON_IPHONE, ip=SYDNEY)
    sign_in(vera, "vera")
    victor = browse(FIREFOX_ON_LINUX, ip=LINKOPING)
    sign_in(victor, "victor")
    assert all(SYDNEY not in text for text in listed(victor))
    assert SYDNEY in listed(vera)[0]


def test_the_devices_page_fits_a_phone_and_holds_no_session_key(browse):
    page = browse(SAFARI_ON_IPHONE, ip=LONDON)
    page.set_viewport_size({"width": 375, "height": 800})
    sign_in(page, "vera")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    assert cookies["sessionid"] not in page.content()


def test_an_editor_comes_into_the_wagtail_admin(browse):
    page = browse(FIREFOX_ON_LINUX, ip=LINKOPING)
    sign_in(page, "editor")
    page.goto("/admin/")
    assert page.get_by_role("heading", level=1).first.is_visible()
    assert page.url.endswith("/admin/")
