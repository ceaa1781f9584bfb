"""Writes of sessions, followed until their transaction commits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, transaction
from django.views.decorators.debug import sensitive_variables

T = TypeVar("T")

# A statement that the database gave up to break a deadlock, by MariaDB's error
# numbers (ER_LOCK_DEADLOCK, ER_CHECKREAD) and PostgreSQL's SQLSTATEs.
DEADLOCK_CODES = {1213, 1020, "40P01", "40001"}
ATTEMPTS = 10


def retry_on_deadlock(using: str, write: Callable[[], T]) -> T:
    """Do a write again that was given up to break a deadlock.

    Not inside a transaction, all of which is lost then. ``write`` must change
    nothing but the database before it is done.
    """
    if transaction.get_connection(using).in_atomic_block:
        return write()
    for _ in range(ATTEMPTS):
        try:
            return write()
        except OperationalError as error:
            if not _is_deadlock(error):
                raise
    return write()


def _is_deadlock(error: OperationalError) -> bool:
    cause = error.__cause__
    codes = {getattr(cause, "sqlstate", None), *getattr(cause, "args", ())[:1]}
    return not DEADLOCK_CODES.isdisjoint(codes)


class TrackedWrite:
    """One write, and whether it stood.

    ``then`` is called once the write has committed: at once where no
    transaction is open. Nothing is called for a write that was rolled back.
    """

    def __init__(self, using: str, *then: Callable[[], object]) -> None:
        self.connection = transaction.get_connection(using)
        self.then = then
        self.committed = False
        if self.connection.in_atomic_block:
            self.connection.on_commit(self)
        else:
            # In autocommit it has committed. With autocommit switched off by
            # hand nobody is told of the commit: nothing better can be done.
            self()

    def __call__(self) -> None:
        self.committed = True
        for act in self.then:
            act()


def has_uncommitted(using: str) -> bool:
    """Whether the open transaction has written sessions, as far as is known."""
    connection = transaction.get_connection(using)
    if connection.connection is None:
        # Asking it would open a connection that a cached page may not need.
        return False
    if not connection.in_atomic_block:
        return not connection.autocommit
    return any(
        isinstance(func, TrackedWrite) for _, func, _ in connection.run_on_commit
    )


class RollbackHandlers:
    """What to repair should a write turn out to be rolled back.

    A repair must ask the database where it would harm a write that stood: while
    the hooks of a commit run, a write isn't told yet that it has committed.
    """

    def __init__(self) -> None:
        self._registered: list[tuple[TrackedWrite, Callable[[], object]]] = []

    def __bool__(self) -> bool:
        return bool(self._registered)

    def register(self, write: TrackedWrite, handler: Callable[[], object]) -> None:
        if not write.committed:
            self._registered.append((write, handler))

    # A repair may hold a session key.
    @sensitive_variables()
    def run(self) -> None:
        """Repair the writes that were rolled back, the latest first."""
        unsettled = [entry for entry in self._registered if not entry[0].committed]
        connections = {id(write.connection): write.connection for write, _ in unsettled}
        # A rollback, of a savepoint too, takes a write off this list.
        pending = {
            id(hook)
            for connection in connections.values()
            for _, hook, _ in connection.run_on_commit
        }
        self._registered = [entry for entry in unsettled if id(entry[0]) in pending]
        lost = [entry for entry in unsettled if id(entry[0]) not in pending]
        while lost:
            _, handler = lost[-1]
            try:
                handler()
            except BaseException:
                # To be tried again, with those that were to follow.
                self._registered = [*lost, *self._registered]
                raise
            lost.pop()
