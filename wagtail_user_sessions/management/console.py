"""Commands on a console: what they print, and the exit codes that scripts read."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import copy
from io import StringIO
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, OutputWrapper
from django.db import DatabaseError, InterfaceError
from django.utils.translation import gettext as _

LOGGER = "wagtail_user_sessions"

# Exit codes besides 0, 1 (CommandError) and 2 (wrong arguments); docs/commands.md
# lists them. The last two are what a shell gives for SIGINT and SIGPIPE.
CACHE_FAILED = 3
INTERRUPTED = 130
BROKEN_PIPE = 141


class ConsoleCommand(BaseCommand):
    """A command whose failures are one line, and which reports nothing with ``-v 0``.

    ``call_command()`` raises the errors themselves.
    """

    verbosity = 1

    def execute(self, *args: Any, **options: Any) -> str | None:
        self.verbosity = options["verbosity"]
        if options["traceback"]:
            return super().execute(*args, **options)
        with _without_tracebacks():
            return super().execute(*args, **options)

    def check(self, *args: Any, **options: Any) -> None:
        """Run the system checks; with ``-v 0`` only their errors are printed."""
        if self.verbosity > 0:
            super().check(*args, **options)
            return
        stderr, self.stderr = self.stderr, OutputWrapper(StringIO())
        try:
            # Errors are raised.
            super().check(*args, **options)
        finally:
            self.stderr = stderr

    def report(self, message: str) -> None:
        if self.verbosity > 0:
            self.stdout.write(message)

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
            # Not only when Python ends: the failure would have no exit code then.
            sys.stdout.flush()
        except KeyboardInterrupt:
            self._exit(_("Interrupted."), INTERRUPTED)
        except BrokenPipeError:
            _discard_output()
            sys.exit(BROKEN_PIPE)
        except (DatabaseError, InterfaceError) as error:
            if "--traceback" in argv:
                raise
            text = _one_line(error)
            message = _("The database has failed: %(error)s") % {"error": text}
            self._exit(message, 1)

    def _exit(self, message: str, code: int) -> NoReturn:
        # The line may have a bar of progress.
        is_terminal = self.stderr.isatty()
        self.stderr.write(f"\n{message}" if is_terminal else message)
        sys.exit(code)


class OneLineFormatter(logging.Formatter):
    """Another formatter's text, with an exception's own text for its traceback."""

    def __init__(self, formatter: logging.Formatter | None) -> None:
        super().__init__()
        self.formatter = formatter or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            record = copy(record)
            text = _one_line(error)
            record.msg = f"{record.getMessage()}: {type(error).__name__}: {text}"
            record.args, record.exc_info, record.exc_text = None, None, None
        return self.formatter.format(record)


def _one_line(error: BaseException) -> str:
    # Some drivers write several.
    return " ".join(str(error).split())


@contextmanager
def _without_tracebacks() -> Iterator[None]:
    """Log the package's errors without their tracebacks, on the console alone."""
    handlers = [handler for handler in _handlers() if _is_console(handler)]
    formatters = [handler.formatter for handler in handlers]
    for handler in handlers:
        handler.setFormatter(OneLineFormatter(handler.formatter))
    try:
        yield
    finally:
        for handler, formatter in zip(handlers, formatters, strict=True):
            handler.setFormatter(formatter)


def _handlers() -> list[logging.Handler]:
    """Return the handlers that the package's records reach."""
    found: list[logging.Handler] = []
    logger: logging.Logger | None = logging.getLogger(LOGGER)
    while logger is not None:
        found += logger.handlers
        logger = logger.parent if logger.propagate else None
    # Used where a site has configured none.
    return found or [logging.lastResort] if logging.lastResort else found


def _is_console(handler: logging.Handler) -> bool:
    stream = getattr(handler, "stream", None)
    return stream is not None and stream in {sys.stdout, sys.stderr}


def _discard_output() -> None:
    """Let Python flush into nowhere when it ends, for nobody reads it any more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
            continue
        with suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
