"""Servers, programs and files that tests need, and what is skipped without them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.browser import axe, chromium, htmx
from tests.django_suite import source
from tests.sql import pgbouncer

URL_VARIABLES = {
    "sqlite": None,
    "postgresql": "POSTGRES_URL",
    "mariadb": "MARIADB_URL",
}
# How the programs are found that which() alone doesn't find.
FINDERS = {"chromium": chromium.find, "pgbouncer": pgbouncer.find}
CONNECT = """\
from django.db import connection

connection.ensure_connection()
"""
PING = """\
import redis
from tests.settings import REDIS_URL

redis.Redis.from_url(REDIS_URL, socket_connect_timeout=5).ping()
"""


@dataclass(frozen=True)
class Need:
    """Something that tests need. ``trouble`` is empty where it is there."""

    name: str
    trouble: str
    remedy: str
    skipped: str

    def __str__(self) -> str:
        if not self.trouble:
            return f"{self.name:<16} found"
        return (
            f"{self.name:<16} {self.trouble}\n"
            f"{'':<16} skipped: {self.skipped}; {self.remedy}"
        )


def databases() -> dict[str, Need]:
    """Return what each database is to the tests, by its name, all asked at once."""
    with ThreadPoolExecutor() as pool:
        return dict(zip(URL_VARIABLES, pool.map(database, URL_VARIABLES), strict=True))


def database(name: str) -> Need:
    variable = URL_VARIABLES[name]
    trouble = attempt(CONNECT, TEST_DATABASE=name)
    return Need(name, trouble, f"set {variable}", "all its tests")


def others() -> list[Need]:
    """Return what tests of any database need besides it."""
    return [
        Need("Redis", attempt(PING), "set REDIS_URL", "races; copies in Redis"),
        program("redis-server", "install redis", "outages of Redis"),
        program("pgbouncer", "install it", "prepared statements behind a pooler"),
        program("chromium", "install it or set CHROMIUM", "pages in a browser"),
        fetched("axe-core", axe.PATH, "install npm", "accessibility"),
        fetched("htmx 4", htmx.FOLDER, "install npm", "pages of a site with htmx 4"),
        fetched("Django's source", source.PATH, "see above", "Django's session tests"),
        program("xgettext", "install gettext", "whether all texts are translated"),
        program("make", "install it", "the command of the sandbox"),
    ]


def program(name: str, remedy: str, skipped: str) -> Need:
    path = FINDERS.get(name, partial(shutil.which, name))()
    return Need(name, "" if path else "not on PATH", remedy, skipped)


def fetched(name: str, path: Path, remedy: str, skipped: str) -> Need:
    return Need(name, "" if path.exists() else "not fetched", remedy, skipped)


def attempt(program: str, **variables: str) -> str:
    """Return why the Python program fails in a process of its own; "" where it doesn't."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        **variables,
    }
    try:
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
    except subprocess.TimeoutExpired:
        return "it doesn't answer"
    return last_error(done.stderr) if done.returncode else ""


def last_error(printed: str) -> str:
    lines = printed.strip().splitlines() or ["unknown"]
    # An error's own line starts at the margin; hints and traces are indented.
    errors = [line for line in lines if "Error" in line and not line.startswith(" ")]
    return (errors or lines)[-1]
