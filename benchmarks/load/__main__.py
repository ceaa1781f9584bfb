from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from typing import IO

import django

from .servers import CACHES, WORKER_CLASSES, Cache, Gunicorn

BREAKS = ("purge", "limit", "merge")


def main() -> int:
    options = _options()
    # On SIGTERM too, the exit stack stops the processes that were started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with ExitStack() as stack:
        log = stack.enter_context(_log(options))
        cache = CACHES[options.cache](log=log)
        site = Gunicorn(log=log, worker_class=options.worker_class)
        _configure(options, cache)
        from . import breaking

        breaking.switch_off(options.broken)
        _start(stack, cache, site)
        return _report(options, site, cache)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.load")
    parser.add_argument("--requests", type=int, default=100_000, help="at least")
    parser.add_argument("--engine", choices=("cached_db", "db"), default="cached_db")
    parser.add_argument("--cache", choices=CACHES, default="redis")
    parser.add_argument("--worker-class", choices=WORKER_CLASSES, default="gthread")
    parser.add_argument("--users", type=int, default=12)
    parser.add_argument("--browsers", type=int, default=36, help="of users")
    parser.add_argument("--visitors", type=int, default=12, help="nobody signed in")
    parser.add_argument("--log", metavar="FILE", help="what the servers print")
    parser.add_argument(
        "--break",
        choices=BREAKS,
        dest="broken",
        help="switch a protection off, to see that the run finds out: the cache isn't"
        " told of visitors' changes (purge), nor are its copies left out by pages that"
        " write (limit), or the last save wins (merge)",
    )
    options = parser.parse_args()
    if options.broken in {"purge", "limit"} and options.engine == "db":
        parser.error("the engine db has no copies")
    return options


def _log(options: argparse.Namespace) -> IO[bytes]:
    if options.log:
        return open(options.log, "wb")
    return tempfile.TemporaryFile()


def _configure(options: argparse.Namespace, cache: Cache) -> None:
    """Set the environment, for this process and for the workers."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.load.settings"
    os.environ["LOAD_ENGINE"] = options.engine
    os.environ["LOAD_WORKER_CLASS"] = options.worker_class
    os.environ["LOAD_CACHE"] = options.cache
    os.environ["LOAD_CACHE_LOCATION"] = cache.location
    os.environ["LOAD_BREAK"] = options.broken or ""
    django.setup()


def _start(stack: ExitStack, cache: Cache, site: Gunicorn) -> None:
    from benchmarks import database

    stack.callback(database.drop)
    database.create()
    for server in (cache, site):
        stack.callback(server.stop)
        server.start()


def _report(options: argparse.Namespace, site: Gunicorn, cache: Cache) -> int:
    from . import summary
    from .run import Run

    run = Run(
        site,
        cache,
        users=options.users,
        browsers=options.browsers,
        visitors=options.visitors,
    )
    result = run.until(options.requests)
    print(
        f"engine {options.engine}, {options.cache}, {options.worker_class}, "
        f"protection off: {options.broken or 'none'}"
    )
    print("\n".join(summary.lines(result)))
    return int(summary.is_broken(result))


if __name__ == "__main__":
    sys.exit(main())
