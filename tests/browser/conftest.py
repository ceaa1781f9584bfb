import os
import shutil

import pytest

from tests.browser import site
from tests.conftest import ENGINES

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium():
    """The Chromium that the machine has."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        message = "no chromium on PATH (set CHROMIUM)"
        if os.environ.get("CI"):
            pytest.fail(f"{message}, and CI requires it")
        pytest.skip(message)
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=ENGINES)
def address(request, tmp_path_factory):
    """The address of a filled sandbox, on each engine."""
    engine = f"wagtail_user_sessions.backends.{request.param}"
    var = site.fill(tmp_path_factory.mktemp("var"))
    with site.serve(var, engine=engine) as served_at:
        yield served_at


@pytest.fixture
def browse(chromium, address):
    """A page of a browser of its own, which claims to be at ``ip``."""
    contexts = []

    def browse(user_agent, *, ip):
        context = chromium.new_context(
            base_url=address,
            user_agent=user_agent,
            extra_http_headers={"X-Forwarded-For": ip},
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        return context.new_page()

    yield browse
    for context in contexts:
        context.close()
