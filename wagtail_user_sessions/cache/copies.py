"""Copies of rows in the cache. A copy can only say that a session goes on: the
database decides everything else.

Three entries of the cache concern a session:

copy
    The row as it was read, the time before the reading (``read_at``, seconds
    since the epoch), and the mark and the epoch as they stood before it.
mark
    Of one session: absent, which counts as a value; a random number, new with
    each change of the data; or ENDED.
epoch
    One value for all sessions: random, new when many end at once; or ENDED, while
    they are about to.

A copy is believed only while its mark and its epoch are those that stand now; while
one of them is ENDED, none is made or believed.
So a request that read a row before it was changed or deleted can write its copy as
late as it likes: no other request believes it.

Keys are made from the hash of the session key, never from the key.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Collection, Iterable
from contextvars import ContextVar
from functools import lru_cache, partial
from typing import Any, TypeVar

from django.core.cache.backends.locmem import LocMemCache
from django.db import models, transaction
from django.utils import timezone

from wagtail_user_sessions.conf import conf
from wagtail_user_sessions.sql.instances import from_db
from wagtail_user_sessions.sql.transactions import has_uncommitted

from .backend import get_session_cache

logger = logging.getLogger(__name__)

PREFIX = "wagtail_user_sessions"
EPOCH = f"{PREFIX}.epoch"
ENDED = "ended"

# Seconds by which the clocks of two servers may differ.
CLOCK_SKEW = 60
# Seconds for which reads leave the cache alone after it has failed.
PAUSE = 5

Row = TypeVar("Row", bound=models.Model)
Offer = Callable[[], None]
Entries = set[str]

# Whether this process keeps copies, also by another engine than SESSION_ENGINE.
are_kept = False

_paused_until = 0.0

# The names of the entries that this context has set since its last call of listen().
_told: ContextVar[Entries | None] = ContextVar("told_the_cache", default=None)


def load(
    key_hash: bytes, *, model: type[Row], using: str, read: Callable[[], Row | None]
) -> tuple[Row | None, Offer | None]:
    """Return the row of this key hash, and a function that writes its copy.

    The row comes from a copy that is believed, else from ``read()``, which reads the
    database and returns None for a session that has ended. The function writes the
    copy for later requests and may be called at any time; it is ``None`` if the cache
    has the copy already, or must not have it.
    """
    if not _is_suitable(using):
        return read(), None
    found = _get(key_hash)
    if found is None:
        return read(), None
    copy, mark, epoch = found
    names = _columns(model)
    if copy is not None and _is_believed(copy, mark, epoch, names):
        return from_db(model, using, names, list(copy["row"].values())), None
    read_at = time.time()
    row = read()
    if epoch is None:
        _try("add", EPOCH, _random(), timeout=None)
    elif row is not None and ENDED not in (mark, epoch):
        fresh = {
            "row": {name: getattr(row, name) for name in names},
            "read_at": read_at,
            "mark": mark,
            "epoch": epoch,
        }
        operation = "add" if copy is None else "set"
        return row, partial(_offer, operation, _copy_key(key_hash), fresh)
    return row, None


def _offer(operation: str, key: str, copy: dict[str, Any]) -> None:
    _try(operation, key, copy, timeout=conf.CACHE_MAX_AGE)


def listen() -> Entries:
    """Return a set that collects the entries that this context sets in the cache, and
    the tasks and threads that inherit it, until the next call.
    """
    told: Entries = set()
    _told.set(told)
    return told


def is_told_of(key_hash: bytes, told: Entries) -> bool:
    return not told.isdisjoint((_mark_key(key_hash), EPOCH))


def purge_changed(key_hash: bytes) -> bool:
    """Set a new mark after a change of the row's data: older copies aren't believed.

    Return False if the cache failed; so do all functions here that set entries.
    """
    return _mark(_random(), [key_hash])


def mark_ended(key_hashes: Collection[bytes]) -> bool:
    """Set the mark ENDED before a deletion commits; ``purge_ended()`` comes after."""
    return _mark(ENDED, key_hashes)


def purge_ended(key_hashes: Collection[bytes]) -> bool:
    """Set the mark ENDED after rows were deleted or got another key."""
    is_told = mark_ended(key_hashes)
    if is_told and conf.CACHE_MAX_AGE:
        # Only to save space: the mark alone makes the copy worthless. The next load
        # of a session that goes on writes another copy.
        _try("delete_many", [_copy_key(key_hash) for key_hash in key_hashes])
    return is_told


def mark_many_ended() -> bool:
    """Set the epoch ENDED before a deletion of many rows commits.

    Until the next ``purge_all()``, for these rows or others, no copy of any row is made
    or believed. If there is none, the entry expires as a mark does.
    """
    return _set_epoch(ENDED, timeout=conf.CACHE_MAX_AGE + CLOCK_SKEW)


def purge_all() -> bool:
    """Set a new epoch after many rows were deleted: no older copy is believed."""
    return _set_epoch(_random(), timeout=None)


def claim(name: str, *, seconds: int) -> bool:
    """Return whether the caller is the first to use the name within these seconds.

    If the cache fails, every caller is.
    """
    if _is_paused():
        return True
    try:
        return bool(
            get_session_cache().add(f"{PREFIX}.claim.{name}", 1, timeout=seconds)
        )
    except Exception:
        _pause()
        return True


def _is_suitable(using: str) -> bool:
    """Return whether the cache can be used in the open transaction, or without one.

    A transaction that reads a snapshot would read rows that have been deleted since,
    and one that has written sessions would copy data that may be rolled back.
    """
    if not conf.CACHE_MAX_AGE or _is_paused() or has_uncommitted(using):
        return False
    connection = transaction.get_connection(using)
    if not connection.in_atomic_block:
        return True
    if connection.vendor == "postgresql":
        # psycopg's enumeration, whose READ_COMMITTED is named so.
        level = getattr(connection.isolation_level, "name", "")
        return level == "READ_COMMITTED"
    return getattr(connection, "isolation_level", None) == "read committed"


def _get(key_hash: bytes) -> tuple[dict[str, Any] | None, object, object] | None:
    """Return copy, mark and epoch; ``None`` if the cache fails."""
    copy_key, mark_key = _copy_key(key_hash), _mark_key(key_hash)
    try:
        found = get_session_cache().get_many([copy_key, mark_key, EPOCH])
    except Exception:
        _pause()
        return None
    return found.get(copy_key), found.get(mark_key), found.get(EPOCH)


def _is_believed(
    copy: dict[str, Any], mark: object, epoch: object, names: tuple[str, ...]
) -> bool:
    if epoch is None or ENDED in (mark, epoch):
        return False
    try:
        return bool(
            copy["mark"] == mark
            and copy["epoch"] == epoch
            and copy["row"]["expire_date"] > timezone.now()
            and -CLOCK_SKEW <= time.time() - copy["read_at"] < conf.CACHE_MAX_AGE
            and tuple(copy["row"]) == names
        )
    except (AttributeError, KeyError, TypeError):
        # Written by another release, or with another USE_TZ.
        return False


def _mark(value: str | int, key_hashes: Iterable[bytes]) -> bool:
    if not conf.CACHE_MAX_AGE:
        return True
    # A mark outlives every copy that was made under the mark before it.
    timeout = conf.CACHE_MAX_AGE + CLOCK_SKEW
    marks = {_mark_key(key_hash): value for key_hash in key_hashes}
    _note(marks)
    if len(marks) == 1:
        return _try("set", *marks, value, timeout=timeout)
    return _try("set_many", marks, timeout=timeout)


def _set_epoch(value: str | int, *, timeout: int | None) -> bool:
    if not conf.CACHE_MAX_AGE:
        return True
    _note([EPOCH])
    # Not with "set", whose failure some caches don't report.
    return _try("set_many", {EPOCH: value}, timeout=timeout)


def _note(names: Iterable[str]) -> None:
    told = _told.get()
    if told is not None:
        told.update(names)


def _try(operation: str, *args: object, **kwargs: object) -> bool:
    """Return whether the operation succeeded; it is tried also after a failure."""
    try:
        answer = getattr(get_session_cache(), operation)(*args, **kwargs)
    except Exception:
        _pause()
        return False
    # set_many() returns the keys of the entries that failed.
    return not (operation == "set_many" and answer)


def _is_paused() -> bool:
    return time.monotonic() < _paused_until


def _pause() -> None:
    """Note, from within an exception handler, that the cache has failed."""
    global _paused_until
    _paused_until = time.monotonic() + PAUSE
    logger.exception("The cache of the sessions has failed")


@lru_cache(maxsize=8)
def _columns(model: type[models.Model]) -> tuple[str, ...]:
    """Return the columns of a copy. The user's own row is never copied: it is always
    read from the database.
    """
    return tuple(field.attname for field in model._meta.concrete_fields)


def _copy_key(key_hash: bytes) -> str:
    return f"{PREFIX}.copy.{key_hash.hex()}"


def _mark_key(key_hash: bytes) -> str:
    return f"{PREFIX}.mark.{key_hash.hex()}"


def _random() -> int:
    # Redis keeps a number as it is; 63 bits fit into the integers of every cache.
    return secrets.randbits(63)


_claims = LocMemCache(__name__, {"OPTIONS": {"MAX_ENTRIES": 10_000}})


def claim_in_process(name: str) -> bool:
    """Return whether this process hasn't claimed the name within an interval."""
    return _claims.add(name, 1, timeout=conf.ACTIVITY_INTERVAL)
