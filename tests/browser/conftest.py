from contextlib import ExitStack
from functools import cache
from itertools import count
from shutil import copytree

import pytest

from tests.browser import htmx
from tests.browser import site as sandbox
from tests.browser.chromium import find, launch
from tests.browser.visitor import Visitor
from tests.conftest import skip_or_fail

DEFAULT, THEME = {"SANDBOX_THEME": "off"}, {"SANDBOX_THEME": "on"}
# By its name, the variables of the environment that a site is served with.
SITES = {
    "default": DEFAULT,
    "theme": THEME,
    "cached_db": DEFAULT
    | {"SANDBOX_SESSION_ENGINE": "wagtail_user_sessions.backends.cached_db"},
    "boosted": DEFAULT | {"TESTS_SITE": "boosted"},
    "htmx_4": DEFAULT | {"TESTS_HTMX": "htmx_4"},
    "boosted_by_htmx_4": DEFAULT
    | {"TESTS_SITE": "boosted", "TESTS_HTMX": "boosted_by_htmx_4"},
    "guarded": DEFAULT | {"TESTS_SITE": "guarded"},
    "every_request": DEFAULT | {"TESTS_SITE": "every_request"},
}
numbers = count(1)


@pytest.fixture(scope="session")
def chromium():
    path = find()
    if path is None:
        skip_or_fail("no chromium on PATH (set CHROMIUM)")
    with launch(path) as browser:
        yield browser


@pytest.fixture(scope="session")
def sites(chromium, filled_sandbox, tmp_path_factory):
    """The sites by their names, each served from when it is first asked for."""
    with ExitStack() as stack:

        @cache
        def serve(name):
            if "htmx_4" in name and not htmx.FOLDER.exists():
                skip_or_fail("no htmx 4: python -m tests.browser.htmx")
            var = copytree(filled_sandbox, tmp_path_factory.mktemp("site") / name)
            return stack.enter_context(sandbox.serve(var, name=name, **SITES[name]))

        yield serve


@pytest.fixture(params=["default", "theme"])
def site(request, sites):
    """The sandbox with the package's own markup, and with the example theme."""
    return sites(request.param)


@pytest.fixture
def backstage(site):
    return site.backstage


@pytest.fixture
def ann(site, chromium):
    """Somebody with an account of their own, signed in nowhere."""
    visitor = Visitor(site, chromium, f"ann-{next(numbers)}")
    yield visitor
    visitor.leave()
