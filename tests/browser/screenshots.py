"""Pictures of both themes for the documentation: ``python -m tests.browser.screenshots``.

Each shows what ``make demo`` shows of the account ``vera``.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

from sandbox.home.accounts import FIREFOX_ON_LINUX
from tests.browser import admin_screenshots, chromium
from tests.browser import site as sandbox
from tests.browser.devices_page import PATH, DevicesPage, sign_in
from tests.browser.visitor import LINKOPING

FOLDER = sandbox.BASE_DIR / "docs" / "screenshots"
THEMES = {"default": "off", "theme": "on"}
WIDTHS = {1280: 800, 375: 760}
SCHEMES = ("light", "dark")
COLORS = 256


def main() -> int:
    path = chromium.find()
    if path is None:
        sys.stderr.write("There is no chromium on PATH (set CHROMIUM).\n")
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    with chromium.launch(path) as browser, ExitStack() as stack:
        for theme, switch in THEMES.items():
            var = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            sandbox.manage(var, "demo")
            with sandbox.serve(var, SANDBOX_THEME=switch) as site:
                shoot(browser, site, theme)
                if theme == "default":
                    shoot_admin(browser, site)
    return 0


def shoot_admin(browser: Browser, site: sandbox.Site) -> None:
    for name, screenshot in admin_screenshots.shoot(browser, site):
        keep(screenshot, name)


def shoot(browser: Browser, site: sandbox.Site, theme: str) -> None:
    context = browser.new_context(
        base_url=site.address,
        user_agent=FIREFOX_ON_LINUX,
        extra_http_headers={"X-Forwarded-For": LINKOPING},
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(PATH)
    sign_in(page, "vera", "vera-demo")
    page.wait_for_url(f"**{PATH}")
    DevicesPage(page).wait()
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            keep(page.screenshot(full_page=True), f"{theme}-{width}-{scheme}")
    context.close()


def keep(screenshot: bytes, name: str) -> None:
    """Save it with few colours: the pages have few, and the repository stays small."""
    image = Image.open(BytesIO(screenshot)).convert("RGB")
    few = image.quantize(
        COLORS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
    )
    picture = FOLDER / f"{name}.png"
    few.save(picture, optimize=True)
    sys.stdout.write(f"{picture.relative_to(sandbox.BASE_DIR)}\n")


if __name__ == "__main__":
    sys.exit(main())
