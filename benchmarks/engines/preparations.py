"""Preparations of each case, made before each run and not measured."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.contrib.auth.models import User
from django.urls import reverse

from . import sessions
from .browser import Browser
from .cases import DEVICES, Case
from .settings import VARIANT
from .variants import DJANGO, OUR_DB

Run = Callable[[], object]
# Called before each run; returns the run.
Prepare = Callable[[], Run]

SESSIONS = 50
PATHS = {Case.SIGNED_IN: "/signed-in/", Case.CHANGED: "/changed/"}


def prepare(case: Case) -> Prepare | None:
    """Return the preparation of the case; ``None`` if the package can't do it."""
    has_case = {
        Case.ENDING_50: VARIANT.package != DJANGO,
        Case.BARE_DELETE: VARIANT == OUR_DB,
        **dict.fromkeys(DEVICES, bool(VARIANT.device_list)),
    }
    if not has_case.get(case, True):
        return None
    user = User.objects.create_user(case.name.lower(), password="secret")
    return _prepared(case, user)


def _prepared(case: Case, user: User) -> Prepare:
    if case in PATHS:
        return _repeated(sessions.fill(user, count=1), PATHS[case])
    if case in DEVICES:
        browser = sessions.fill(user, count=DEVICES[case])
        return _repeated(browser, reverse(VARIANT.device_list))
    prepared: dict[Case, Callable[[], Prepare]] = {
        Case.ANONYMOUS: partial(_repeated, Browser(), "/"),
        Case.VISITOR: _visitor,
        Case.SIGN_IN: partial(_signing_in, user),
        Case.SIGN_OUT: lambda: partial(_sign_out, user),
        Case.ENDING_50: partial(_ending, user, partial(sessions.end_all, user)),
        Case.BARE_DELETE: partial(_ending, user, partial(sessions.delete_barely, user)),
    }
    return prepared[case]()


def _visitor() -> Prepare:
    browser = Browser()
    browser.request("/stored/")()
    run = browser.request("/visitor/")

    def prepare() -> Run:
        # Two pages make a copy anew that is too old to be believed.
        run()
        run()
        return run

    return prepare


def _repeated(browser: Browser, path: str) -> Prepare:
    run = browser.request(path)
    return lambda: run


def _signing_in(user: User) -> Prepare:
    browser = Browser()

    def prepare() -> Run:
        if browser.session_key:
            sessions.end(browser.session_key)
            browser.session_key = ""
        return browser.request("/sign-in/", user=user)

    return prepare


def _sign_out(user: User) -> Run:
    browser = Browser()
    browser.sign_in(user)
    return browser.request("/sign-out/")


def _ending(user: User, run: Run) -> Prepare:
    sessions.fill(user, count=SESSIONS)
    kept = [(rows.model, list(rows)) for rows in sessions.rows(user)]
    run()

    def prepare() -> Run:
        for model, rows in kept:
            model._base_manager.bulk_create(rows)
        return run

    return prepare
