from __future__ import annotations

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack
from typing import IO

import django

from .servers import Gunicorn, Redis

BREAKS = ("purge", "merge")


def main() -> int:
    options = _options()
    with ExitStack() as stack:
        log = stack.enter_context(_log(options))
        redis, site = Redis(log=log), Gunicorn(log=log)
        _configure(options, redis)
        from . import breaking

        breaking.switch_off(options.broken)
        _start(stack, redis, site)
        return _report(options, site, redis)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.load")
    parser.add_argument("--requests", type=int, default=100_000, help="at least")
    parser.add_argument("--engine", choices=("cached_db", "db"), default="cached_db")
    parser.add_argument("--users", type=int, default=12)
    parser.add_argument("--browsers", type=int, default=36)
    parser.add_argument("--log", metavar="FILE", help="what the servers print")
    parser.add_argument(
        "--break",
        choices=BREAKS,
        dest="broken",
        help="switch a protection off, to see that the run finds out: the cache isn't"
        " told of ended sessions (purge), or the last save wins (merge)",
    )
    options = parser.parse_args()
    if options.broken == "purge" and options.engine == "db":
        parser.error("the engine db has no copies that could be purged")
    return options


def _log(options: argparse.Namespace) -> IO[bytes]:
    if options.log:
        return open(options.log, "wb")
    return tempfile.TemporaryFile()


def _configure(options: argparse.Namespace, redis: Redis) -> None:
    """For this process and for the workers."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.load.settings"
    os.environ["LOAD_ENGINE"] = options.engine
    os.environ["LOAD_REDIS_URL"] = redis.url
    os.environ["LOAD_BREAK"] = options.broken or ""
    django.setup()


def _start(stack: ExitStack, redis: Redis, site: Gunicorn) -> None:
    from benchmarks import database

    stack.callback(database.drop)
    database.create()
    for server in (redis, site):
        stack.callback(server.stop)
        server.start()


def _report(options: argparse.Namespace, site: Gunicorn, redis: Redis) -> int:
    from . import summary
    from .run import Run

    run = Run(site, redis, users=options.users, browsers=options.browsers)
    result = run.until(options.requests)
    print(f"engine {options.engine}, protection off: {options.broken or 'none'}")
    print("\n".join(summary.lines(result)))
    return 1 if summary.violations(result) or summary.lost_changes(result) else 0


if __name__ == "__main__":
    sys.exit(main())
