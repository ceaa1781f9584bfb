"""Writes of sessions: repeated on a deadlock, and tracked until commit or rollback."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, transaction
from django.views.decorators.debug import sensitive_variables

T = TypeVar("T")

# Errors of a statement that the database cancelled to break a deadlock: MariaDB's
# error numbers (ER_LOCK_DEADLOCK, ER_CHECKREAD) and PostgreSQL's SQLSTATEs.
DEADLOCK_CODES = {1213, 1020, "40P01", "40001"}
ATTEMPTS = 10
# The longest pause before the second attempt, in seconds. It doubles with each attempt,
# and is chosen by chance: writes that pause alike would meet in the next deadlock.
FIRST_PAUSE = 0.002


def retry_on_deadlock(using: str, write: Callable[[], T]) -> T:
    """Call ``write``, and repeat it if the database cancelled it to break a deadlock.

    Inside a transaction it is called once, for a deadlock rolls back all of it.
    ``write`` must change nothing but the database before it succeeds. Receivers of the
    signals that it sends are called again with each attempt.
    """
    if is_in_transaction(using):
        return write()
    for number in range(ATTEMPTS):
        try:
            return write()
        except OperationalError as error:
            if not _is_deadlock(error):
                raise
        time.sleep(random.random() * FIRST_PAUSE * 2**number)  # noqa: S311
    return write()


def _is_deadlock(error: OperationalError) -> bool:
    cause = error.__cause__
    codes = {getattr(cause, "sqlstate", None), *getattr(cause, "args", ())[:1]}
    return not DEADLOCK_CODES.isdisjoint(codes)


class TrackedWrite:
    """A write that is tracked until its transaction commits or is rolled back.

    The ``callbacks`` are called once it has committed: at once if no transaction is
    open, and never if it is rolled back.
    """

    def __init__(self, using: str, *callbacks: Callable[[], object]) -> None:
        self.connection = transaction.get_connection(using)
        self.callbacks = callbacks
        self.committed = False
        if self.connection.in_atomic_block:
            self.connection.on_commit(self)
        else:
            # In autocommit mode it has committed. If the site has switched autocommit
            # off, Django runs no hook on commit, and nothing better can be done.
            self()

    def __call__(self) -> None:
        self.committed = True
        for callback in self.callbacks:
            callback()


def is_in_transaction(using: str) -> bool:
    """Return whether a transaction is open, or opens with the next statement."""
    connection = transaction.get_connection(using)
    if connection.connection is None:
        # get_autocommit() would open a connection that a page may not need.
        return not connection.settings_dict["AUTOCOMMIT"]
    return connection.in_atomic_block or not connection.autocommit


class RollbackHandlers:
    """Handlers that restore the store's memory if a tracked write is rolled back.

    A handler that would harm a committed write must check the database first: while
    Django runs the hooks of a commit, a write whose hook comes later looks as if it
    were rolled back.
    """

    def __init__(self) -> None:
        self._registered: list[tuple[TrackedWrite, Callable[[], object]]] = []

    def __bool__(self) -> bool:
        return bool(self._registered)

    def register(self, write: TrackedWrite, handler: Callable[[], object]) -> None:
        if not write.committed:
            self._registered.append((write, handler))

    # A handler's variables may include a session key.
    @sensitive_variables()
    def run(self) -> None:
        """Call the handlers of the writes that were rolled back, the latest first."""
        uncommitted = [entry for entry in self._registered if not entry[0].committed]
        connections = {
            id(write.connection): write.connection for write, _ in uncommitted
        }
        # A rollback, also to a savepoint, removes a write from run_on_commit.
        pending = {
            id(hook)
            for connection in connections.values()
            for _, hook, _ in connection.run_on_commit
        }
        self._registered = [entry for entry in uncommitted if id(entry[0]) in pending]
        rolled_back = [entry for entry in uncommitted if id(entry[0]) not in pending]
        while rolled_back:
            _, handler = rolled_back[-1]
            try:
                handler()
            except BaseException:
                # The next run tries this handler again, and then the remaining ones.
                self._registered = [*rolled_back, *self._registered]
                raise
            rolled_back.pop()
