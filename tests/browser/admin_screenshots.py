"""Pictures of Wagtail's admin for the documentation, as an editor of the demo sees it."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import Browser, Page

from sandbox.home.accounts import FIREFOX_ON_LINUX
from tests.browser import site as sandbox
from tests.browser.visitor import LINKOPING

SESSIONS = "/admin/snippets/wagtail_user_sessions/session/"


def shoot(browser: Browser, site: sandbox.Site) -> Iterator[tuple[str, bytes]]:
    """Yield each picture with its name."""
    context = browser.new_context(
        base_url=site.address,
        user_agent=FIREFOX_ON_LINUX,
        extra_http_headers={"X-Forwarded-For": LINKOPING},
        reduced_motion="reduce",
        viewport={"width": 1280, "height": 1000},
    )
    page = context.new_page()
    page.goto("/admin/login/")
    page.locator("#id_username").fill("editor")
    page.locator("#id_password").fill("editor-demo")
    page.locator("button[type=submit]").click()
    page.wait_for_url("**/admin/")
    for name, path in paths(page).items():
        page.goto(path)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_load_state("networkidle")
            yield f"admin-{name}-{scheme}", page.screenshot()
    context.close()


def paths(page: Page) -> dict[str, str]:
    page.goto(f"{SESSIONS}?q=vera")
    inspect = page.get_by_role("link", name="Chrome on Windows").get_attribute("href")
    return {
        "listing": SESSIONS,
        "inspect": inspect,
        "confirm": inspect.replace("/inspect/", "/sign-out/"),
        "devices": "/admin/account/devices/",
    }
