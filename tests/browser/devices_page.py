"""The devices page for tests: its parts, actions and expectations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from playwright.sync_api import Error, Locator, Page, expect

from tests.browser.backstage import PASSWORD

PATH = "/account/devices/"
TIMEOUT = 10_000  # milliseconds
FAILURE = re.compile("That didn't work")

expect.set_options(timeout=TIMEOUT)


@dataclass
class DevicesPage:
    page: Page
    path: str = PATH
    # Of its browser's session.
    id: str = ""
    has_javascript: bool = True

    def open(self, query: str = "") -> DevicesPage:
        self.page.goto(self.path + query)
        return self.wait()

    def reload(self) -> DevicesPage:
        self.page.reload()
        return self.wait()

    def wait(self) -> DevicesPage:
        """Wait until the list is there and reacts."""
        expect(self.list).to_be_visible()
        if self.has_javascript:
            # What htmx 2 and htmx 4 set on an element that they have processed.
            self.until(
                "['htmx-internal-data', '_htmx'].some("
                "name => document.querySelector('#wus-list form')?.[name])"
            )
        return self

    def until(self, expression: str) -> None:
        """Wait until the JavaScript expression is true.

        ``wait_for_function`` uses eval, which a strict policy refuses.
        """
        for _ in range(TIMEOUT // 50):
            # While the page reloads, evaluating fails.
            with suppress(Error):
                if self.page.evaluate(expression):
                    return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"This never came true: {expression}")

    def settle(self) -> None:
        """Wait until htmx has no request under way, and has processed new elements.

        For the first 20 milliseconds new elements act as without JavaScript.
        """
        busy = ".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added"
        expect(self.page.locator(busy)).to_have_count(0)

    @property
    def address(self) -> str:
        """The path and the query of the page that is shown."""
        parts = urlsplit(self.page.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    # Parts

    @property
    def list(self) -> Locator:
        return self.page.locator("#wus-list")

    @property
    def summary(self) -> Locator:
        return self.page.locator("#wus-summary")

    @property
    def message(self) -> Locator:
        """The live region, of which there is only one."""
        return self.page.get_by_role("status")

    @property
    def ids(self) -> list[str]:
        """The ids of the devices that are shown, in their order."""
        return self.page.evaluate(
            "[...document.querySelectorAll('#wus-list [id]')].map(e => e.id)"
            ".filter(id => /^wus-[0-9a-f-]{36}$/.test(id)).map(id => id.slice(4))"
        )

    def device(self, pk: str) -> Locator:
        return self.page.locator(f"[id='wus-{pk}']")

    def part(self, name: str, pk: str = "") -> Locator:
        """Return the element by its id: such as "sign-out", "confirm", "rename" or "name" of a device,
        or "confirmed" and "more" of the list.
        """
        return self.page.locator(f"[id='wus-{name}{f'-{pk}' if pk else ''}']")

    def cancel(self) -> Locator:
        return self.page.locator("[data-wus-cancel]")

    # Actions

    def ask_to_sign_out(self, pk: str) -> None:
        self.part("sign-out", pk).click()
        expect(self.part("confirmed", pk)).to_be_visible()
        self.settle()

    def sign_out(self, pk: str) -> None:
        self.ask_to_sign_out(pk)
        self.part("confirmed", pk).click()

    def ask_to_sign_out_others(self, button: str = "sign-out-others") -> None:
        self.part(button).click()
        expect(self.part("confirmed")).to_be_visible()
        self.settle()

    def ask_for_name(self, pk: str) -> Locator:
        self.part("rename", pk).click()
        expect(self.part("name", pk)).to_be_visible()
        self.settle()
        return self.part("name", pk)

    def rename(self, pk: str, name: str) -> None:
        self.ask_for_name(pk).fill(name)
        self.device(pk).get_by_role("button", name="Save").click()

    def come_to_the_front(self) -> None:
        """Send the event of a tab that comes to the front."""
        self.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    def refresh(self) -> None:
        """Come to the front, and wait until the list is replaced."""
        self.settle()
        self.list.evaluate("list => { list.isOld = true }")
        self.come_to_the_front()
        expect(self.list).not_to_have_js_property("isOld", value=True)
        self.settle()

    # Expectations

    def expect_count(self, count: int) -> None:
        noun = "device" if count == 1 else "devices"
        expect(self.summary).to_have_text(f"You are signed in on {count} {noun}.")

    def expect_login_page(self, *, back_to: str) -> None:
        self.page.wait_for_url(lambda url: urlsplit(url).path == "/login/")
        assert self.address == f"/login/?next={back_to}"
        expect(self.page.get_by_label("Password")).to_be_visible()
        expect(self.list).to_have_count(0)

    @contextmanager
    def stays(self) -> Iterator[None]:
        """Expect that the block neither navigates nor changes the page's URL."""
        seen = []
        url = self.page.url

        def watch(request):
            if request.is_navigation_request():
                seen.append(f"{request.method} {request.url}")

        def arrived(frame):
            # htmx 4 marks the page's entry of the history, and leaves its URL.
            if frame.url != url:
                seen.append(f"arrived at {frame.url}")

        self.page.on("request", watch)
        self.page.on("framenavigated", arrived)
        self.page.evaluate("window.isTheSame = true")
        yield
        self.settle()
        assert seen == [], seen
        assert self.page.evaluate("window.isTheSame") is True
        self.page.remove_listener("request", watch)
        self.page.remove_listener("framenavigated", arrived)


def sign_in(page: Page, username: str, password: str = PASSWORD) -> None:
    """Fill in the login page that is shown."""
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
