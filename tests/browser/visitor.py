"""A visitor of the site, with any number of browsers."""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.sync_api import Browser, BrowserContext

from sandbox.home.accounts import (
    CHROME_ON_WINDOWS,
    FIREFOX_ON_LINUX,
    SAFARI_ON_IPHONE,
)
from tests.browser.devices_page import PATH, TIMEOUT, DevicesPage
from tests.browser.site import Site

LONDON = "81.2.69.160"
LINKOPING = "89.160.20.112"
SYDNEY = "1.1.1.9"
KYOTO = "2001:db8:85a3:8d3:1319:8a2e:370:7348"


@dataclass
class Visitor:
    """A person with an account, and only the sessions that a test makes."""

    site: Site
    chromium: Browser
    username: str
    contexts: list[BrowserContext] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.site.backstage.user(username=self.username)

    def browser(
        self, user_agent: str = FIREFOX_ON_LINUX, *, ip: str = LINKOPING, **options
    ) -> BrowserContext:
        """Return a new browser, which sends ``ip`` as its address."""
        context = self.chromium.new_context(
            base_url=self.site.address,
            user_agent=user_agent,
            extra_http_headers={"X-Forwarded-For": ip},
            **options,
        )
        context.set_default_timeout(TIMEOUT)
        self.contexts.append(context)
        return context

    def browse(
        self,
        user_agent: str = FIREFOX_ON_LINUX,
        *,
        ip: str = LINKOPING,
        path: str = PATH,
        **options,
    ) -> DevicesPage:
        """Return the devices page of a new signed-in browser, not opened yet."""
        context = self.browser(user_agent, ip=ip, **options)
        session = self._session(user_agent, ip=ip)
        context.add_cookies(
            [{"name": "sessionid", "value": session["key"], "url": self.site.address}]
        )
        return DevicesPage(
            context.new_page(),
            path=path,
            id=session["id"],
            has_javascript=options.get("java_script_enabled", True),
        )

    def device(
        self, user_agent: str = SAFARI_ON_IPHONE, *, ip: str = LONDON, **columns
    ) -> str:
        """Make a session without a browser; return its id."""
        return self._session(user_agent, ip=ip, **columns)["id"]

    def devices(self, count: int) -> list[str]:
        """Make sessions without a browser; return their ids, last used first."""
        first = self.device(CHROME_ON_WINDOWS, minutes=10)
        more = self.site.backstage.copies(pk=first, count=count - 1)
        return [first, *more]

    def _session(self, user_agent: str, **columns) -> dict[str, str]:
        return self.site.backstage.session(
            username=self.username, user_agent=user_agent, **columns
        )

    def leave(self) -> None:
        for context in self.contexts:
            context.close()
