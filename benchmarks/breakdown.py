"""Where the time of a signed-in page goes: ``python -m benchmarks.breakdown``.

A process for each database makes the same page in turns, each time with a little more
of what it does. The difference between two neighbours is the time of a part. So it is
with the query, which is measured alone, in the same turns. The engine is ``db`` with
our ``AuthenticationMiddleware``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from statistics import median
from typing import Any
from unittest.mock import patch

import django

from benchmarks.measuring import seconds

DATABASES = ("postgresql", "sqlite")
ROUNDS, RUNS = 60, 40
MICROSECONDS = 1e6

PAGE = (
    "Django's handler, the URL, the response",
    "session and user are opened, and not read",
    "the row is read with its user, the data decoded",
    "the user is admitted: backend, password hash",
    "the client is compared with the row's",
)
QUERY = (
    "`SELECT 1` through Django's cursor",
    "the query in its place: sent, parsed, planned, executed",
    "instances of session and user are made",
)


@dataclass(frozen=True)
class Part:
    run: Callable[[], object]
    # What is replaced while it runs.
    replacements: Sequence[AbstractContextManager[Any]] = ()


def main() -> int:
    parser = argparse.ArgumentParser(description="Break down the signed-in page.")
    parser.add_argument("--databases", default=",".join(DATABASES))
    parser.add_argument("--prepared", action="store_true", help="prepare statements")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        say(json.dumps(_measure(prepared=options.prepared)))
        return 0
    databases = options.databases.split(",")
    columns = [_ask_worker(name, prepared=options.prepared) for name in databases]
    say(f"| microseconds | {' | '.join(databases)} |")
    say(f"| --- |{' ---: |' * len(databases)}")
    for part in columns[0]:
        say(f"| {part} | {' | '.join(f'{column[part]:.0f}' for column in columns)} |")
    return 0


def _ask_worker(database: str, *, prepared: bool) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "benchmarks.engines.settings",
            "BENCHMARK_VARIANT": "ours_db_own",
            "BENCHMARK_DATABASE": database,
            "BENCHMARK_NAME": f"benchmark_breakdown_{os.getpid()}",
            "BENCHMARK_FOLDER": folder,
        }
        command = [sys.executable, "-m", "benchmarks.breakdown", "--worker"]
        command += ["--prepared"] if prepared else []
        output = subprocess.run(
            command, env=environment, check=True, stdout=subprocess.PIPE
        ).stdout
    found: dict[str, float] = json.loads(output)
    return found


def _measure(*, prepared: bool) -> dict[str, float]:
    django.setup()
    from django.conf import settings

    from benchmarks.engines import stores

    settings.WAGTAIL_USER_SESSIONS_PREPARED_STATEMENTS = prepared
    stores.create()
    try:
        pages, queries = _runs()
        stores.vacuum()
        times = _medians({**pages, **queries})
    finally:
        stores.remove()
    found = _differences({name: times[name] for name in pages})
    found["**the page**"] = times[PAGE[-1]]
    of_query = _differences({name: times[name] for name in queries})
    return found | {f"the query alone: {part}": of_query[part] for part in of_query}


def _runs() -> tuple[dict[str, Part], dict[str, Part]]:
    from django.contrib.auth.models import User
    from django.core.handlers.wsgi import WSGIHandler
    from django.db import connection
    from django.db.models import Q
    from django.test.utils import override_settings

    from benchmarks.engines import browser, sessions
    from wagtail_user_sessions.hashing import MARKER_KEY_HASH
    from wagtail_user_sessions.middleware import session as middleware
    from wagtail_user_sessions.models import Session
    from wagtail_user_sessions.sql import compiled_queries
    from wagtail_user_sessions.sql.query_compiler import BoundSelect

    visitor = sessions.fill(User.objects.create_user("ann"), count=1)
    with override_settings(MIDDLEWARE=[]):
        bare = WSGIHandler()
        bare.load_middleware()
    signed_in = visitor.request("/signed-in/")
    inactive = patch.object(middleware, "record_activity", lambda request: None)
    reads_only = patch("benchmarks.engines.views._greet", _read)
    condition = Q(key_hash__in=(Session.objects.get().key_hash, MARKER_KEY_HASH))

    def select_1() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchall()

    def fetch() -> None:
        compiled_queries.fetch(Session, "default", condition, related="user")

    pages = (
        Part(
            visitor.request("/"), [patch.object(browser, "_application", lambda: bare)]
        ),
        Part(visitor.request("/")),
        Part(signed_in, [inactive, reads_only]),
        Part(signed_in, [inactive]),
        Part(signed_in),
    )
    queries = (
        Part(select_1),
        Part(fetch, [patch.object(BoundSelect, "_row", lambda *values: values)]),
        Part(fetch),
    )
    return dict(zip(PAGE, pages, strict=True)), dict(zip(QUERY, queries, strict=True))


def _read(request: Any) -> Any:
    """Take the place of a view: read the session and its user, and ask for neither."""
    from django.http import HttpResponse

    request.session.reads_user = True
    request.session.keys()
    return HttpResponse("Hello")


def _medians(parts: Mapping[str, Part]) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(ROUNDS):
        for name, part in parts.items():
            with ExitStack() as stack:
                for replacement in part.replacements:
                    stack.enter_context(replacement)
                times[name] += [seconds(part.run) for _ in range(RUNS)]
    return {name: median(found) * MICROSECONDS for name, found in times.items()}


def _differences(times: Mapping[str, float]) -> dict[str, float]:
    """Return what each entry takes longer than the one before it."""
    before = (0.0, *times.values())
    return {
        name: total - less
        for (name, total), less in zip(times.items(), before, strict=False)
    }


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
