"""Which rooms of the package a request walks through: ``python -m benchmarks.walks``.

Makes requests with Django's test client against the tests' site on SQLite, and
prints the functions of the package that each one calls, in the order of their first
call, below the room that they belong to. Exits with 1 if a request crosses more
rooms than ``BOUNDS`` allows.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from types import FrameType
from typing import Any

import django

PACKAGE = "wagtail_user_sessions"
# Files at the top of the package; any other one is a door.
GROUND = {"conf", "signals", "exceptions", "hashing", "fields"}

FIRST_PAGE = "the first page after a sign-in"
PAGE = "a signed-in page"
REVOCATION = "a revocation from the devices page"
# The greatest number of rooms.
BOUNDS = {FIRST_PAGE: 7, PAGE: 7, REVOCATION: 8}
ENGINES = ("db", "cached_db")

PASSWORD = "secret"
OURS = f"{PACKAGE}.middleware.AuthenticationMiddleware"
DJANGOS = "django.contrib.auth.middleware.AuthenticationMiddleware"


@dataclass(frozen=True)
class Step:
    room: str
    # The file and the qualified name of the function.
    function: str


@dataclass
class Walk:
    """Functions of the package, in the order of their first call."""

    steps: dict[Step, None] = field(default_factory=dict)

    @property
    def rooms(self) -> list[str]:
        """Rooms, in the order in which they are entered."""
        return list(dict.fromkeys(step.room for step in self.steps))

    @contextmanager
    def recording(self) -> Iterator[None]:
        sys.setprofile(self._on_event)
        try:
            yield
        finally:
            sys.setprofile(None)

    def _on_event(self, frame: FrameType, event: str, arg: object) -> None:
        if event != "call":
            return
        name = frame.f_globals.get("__name__", "")
        function = frame.f_code.co_qualname
        # Without what Python writes: comprehensions, and __init__ of dataclasses.
        is_written = not (function.endswith(">") or function.startswith("__create_fn"))
        if is_written and name.startswith(f"{PACKAGE}."):
            file = f"{name.rpartition('.')[2]}.py"
            self.steps.setdefault(Step(room_of(name), f"{file} {function}"))


def room_of(module: str) -> str:
    """Return the room of a module's dotted name."""
    path = module.split(".")[1:]
    if len(path) > 1:
        return path[0]
    return "ground" if path[0] in GROUND else "doors"


def main() -> int:
    options = _options()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ["TEST_DATABASE"] = "sqlite"
    django.setup()
    over = []
    with _site():
        # Engine by engine: once a process keeps copies, it tells the cache of the ends
        # of visitors' sessions.
        for engine in ENGINES:
            for name, take in TAKES.items():
                walk = _recorded(take, engine)
                title = f"{name}, {engine}"
                _show(title, walk, bound=BOUNDS[name], is_short=options.short)
                if len(walk.rooms) > BOUNDS[name]:
                    over.append(title)
    for title in over:
        print(f"Too many rooms: {title}", file=sys.stderr)
    return 1 if over else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.walks")
    parser.add_argument("--short", action="store_true", help="the rooms alone")
    return parser.parse_args()


def _show(title: str, walk: Walk, *, bound: int, is_short: bool) -> None:
    rooms = walk.rooms
    print(f"{title[0].upper()}{title[1:]}: {len(rooms)} rooms, at most {bound}")
    print(f"    {', '.join(rooms)}")
    if not is_short:
        for room, steps in groupby(walk.steps, key=lambda step: step.room):
            print(f"\n    {room}")
            for step in steps:
                print(f"        {step.function}")
    print()


# The site


@contextmanager
def _site() -> Iterator[None]:
    """Set up the tests' site, with a new database and our authentication middleware."""
    from django.conf import settings
    from django.test.utils import (
        setup_databases,
        setup_test_environment,
        teardown_databases,
    )

    folder = Path(settings.DATABASES["default"]["NAME"]).parent
    settings.MIDDLEWARE = [
        OURS if path == DJANGOS else path for path in settings.MIDDLEWARE
    ]
    # Like a site that logs the ends of sessions.
    logger = logging.getLogger(PACKAGE)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        yield
    finally:
        teardown_databases(databases, verbosity=0)
        shutil.rmtree(folder)


Take = Callable[[Any], Walk]


def _recorded(take: Take, engine: str) -> Walk:
    """Return the third walk of its kind: the others compile queries."""
    from django.contrib.auth import get_user_model
    from django.test import override_settings

    user, _ = get_user_model().objects.get_or_create(username="ann")
    user.set_password(PASSWORD)
    user.save()
    with override_settings(
        SESSION_ENGINE=f"{PACKAGE}.backends.{engine}",
        # The activity is written with each page.
        WAGTAIL_USER_SESSIONS_ACTIVITY_INTERVAL=0,
    ):
        take(user)
        take(user)
        return take(user)


def _visit_first_page(user: Any) -> Walk:
    """Record a page that asks for its user, and does nothing else."""
    return _visit(_signed_in(user), user)


def _visit_page(user: Any) -> Walk:
    """Record the next page of the same kind."""
    browser = _signed_in(user)
    _visit(browser, user)
    return _visit(browser, user)


def _visit(browser: Any, user: Any) -> Walk:
    walk = Walk()
    with walk.recording():
        response = browser.get("/whoami/")
    _expect(response, user.get_username())
    return walk


def _revoke(user: Any) -> Walk:
    """Record one click on "Sign out" of another device, sent by htmx."""
    here, there = _signed_in(user), _signed_in(user)
    pk = there.session.id
    here.get("/devices/")
    walk = Walk()
    with walk.recording():
        response = here.post(f"/devices/{pk}/revoke/", headers={"hx-request": "true"})
    _expect(response, "Signed out:")
    _expect(there.get("/whoami/"), "nobody")
    return walk


def _signed_in(user: Any) -> Any:
    from django.test import Client

    browser = Client(headers={"user-agent": "Mozilla/5.0 (X11; Linux) Firefox/142.0"})
    form = {"username": user.get_username(), "password": PASSWORD}
    _expect(browser.post("/login/", form), "yes")
    return browser


def _expect(response: Any, text: str) -> None:
    content = response.content.decode()
    if response.status_code != 200 or text not in content:
        raise RuntimeError(f"{response.status_code}: {content[:200]!r}")


TAKES: dict[str, Take] = {
    FIRST_PAGE: _visit_first_page,
    PAGE: _visit_page,
    REVOCATION: _revoke,
}


if __name__ == "__main__":
    sys.exit(main())
