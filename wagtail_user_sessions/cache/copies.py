"""Copies of rows in the cache, which repeat what the database says, and only
ever say "alive". For anything else the database is asked.

Three entries of the cache speak of a session:

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
So whoever read a row before it was changed or deleted may fill the cache with
it as late as he likes: nobody believes it.

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

# Whether this process keeps copies, be it by another engine than SESSION_ENGINE.
are_kept = False

_paused_until = 0.0

# The names of the entries that were told of changes and ends, where somebody listens.
_told: ContextVar[Entries | None] = ContextVar("told_the_cache", default=None)


def load(
    key_hash: bytes, *, model: type[Row], using: str, read: Callable[[], Row | None]
) -> tuple[Row | None, Offer | None]:
    """The row of this hash: from a copy that can be believed, else by ``read()``,
    which asks the database for the row, if it hasn't ended.

    With it comes what offers it to the cache for whoever asks next; ``None`` where
    the cache has it, or must not have it. It may be called at any time.
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
    """What the cache is told of from now on, in this context and those that it
    hands on to tasks and threads: until the next call.
    """
    told: Entries = set()
    _told.set(told)
    return told


def is_told_of(key_hash: bytes, told: Entries) -> bool:
    return not told.isdisjoint((_mark_key(key_hash), EPOCH))


def purge_changed(key_hash: bytes) -> bool:
    """The row's data has changed: what was copied of it is no longer believed.

    False where the cache could not be told; so it is with all of these.
    """
    return _mark(_random(), [key_hash])


def mark_ended(key_hashes: Collection[bytes]) -> bool:
    """The rows have ended if their deletion commits, of which is told as well."""
    return _mark(ENDED, key_hashes)


def purge_ended(key_hashes: Collection[bytes]) -> bool:
    """The rows have ended, or have another key now."""
    is_told = mark_ended(key_hashes)
    if is_told and conf.CACHE_MAX_AGE:
        # For room: the mark alone is what disowns it. Of a session that goes on
        # the next load writes another.
        _try("delete_many", [_copy_key(key_hash) for key_hash in key_hashes])
    return is_told


def mark_many_ended() -> bool:
    """Many rows have ended if their deletion commits, of which ``purge_all`` tells:
    until somebody does, of these or others, no copy of any row is made or believed.
    If nobody does, this heals as a mark does.
    """
    return _set_epoch(ENDED, timeout=conf.CACHE_MAX_AGE + CLOCK_SKEW)


def purge_all() -> bool:
    """Many rows have ended: no copy that was made of any row is believed any more."""
    return _set_epoch(_random(), timeout=None)


def claim(name: str, *, seconds: int) -> bool:
    """Whether the caller is the first to use the name within so many seconds.

    Where the cache doesn't answer, everybody is.
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
    """Whether the transaction that is open, if any, may meet the cache.

    One that sees a snapshot would read rows that have ended since, and one that
    has written sessions would copy what may yet be rolled back.
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
    """Copy, mark and epoch; ``None`` where the cache doesn't answer."""
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
    # Longer than any copy that was made under the mark before.
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
    # Not with "set", which of some caches doesn't say that it has failed.
    return _try("set_many", {EPOCH: value}, timeout=timeout)


def _note(names: Iterable[str]) -> None:
    told = _told.get()
    if told is not None:
        told.update(names)


def _try(operation: str, *args: object, **kwargs: object) -> bool:
    """Whether the cache took the operation; tried even where it has failed."""
    try:
        answer = getattr(get_session_cache(), operation)(*args, **kwargs)
    except Exception:
        _pause()
        return False
    # Of several entries, those that were not taken.
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
    """What a copy repeats of the row: never its user, who is always read from
    the database.
    """
    return tuple(field.attname for field in model._meta.concrete_fields)


def _copy_key(key_hash: bytes) -> str:
    return f"{PREFIX}.copy.{key_hash.hex()}"


def _mark_key(key_hash: bytes) -> str:
    return f"{PREFIX}.mark.{key_hash.hex()}"


def _random() -> int:
    # A number, which Redis keeps as it is, and less than any cache could not keep.
    return secrets.randbits(63)


_claims = LocMemCache(__name__, {"OPTIONS": {"MAX_ENTRIES": 10_000}})


def claim_in_process(name: str) -> bool:
    """Whether nobody here has claimed the name within an interval."""
    return _claims.add(name, 1, timeout=conf.ACTIVITY_INTERVAL)
