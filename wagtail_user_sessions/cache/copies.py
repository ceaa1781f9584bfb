"""Copies of visitors' sessions in the cache, so that their pages need no query.

A session with a user is never copied and never believed: only the database proves a
sign-in. So nothing that a cache does (come back with old data, evict, swallow errors,
lag behind, be shared) lets a user in whose session has ended.

Two entries of the cache speak of a visitor's session:

copy
    The row as it was read, the time before the reading (``read_at``, seconds since
    the epoch), and the tag as it stood before it.
tag
    A random number, new with each change of the row. A copy is believed only while
    its tag stands.

So a request that read a row before it was changed may fill the cache with it as late
as it likes. A tag that could not be changed costs time: a copy is believed for no
longer than ``CACHE_MAX_AGE``.

Keys are made from the hash of the session key, never from the key.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import lru_cache, partial
from hashlib import sha256
from itertools import islice
from json import JSONDecodeError
from pickle import UnpicklingError
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from wagtail_user_sessions.conf import conf
from wagtail_user_sessions.sql.instances import from_db

from .backend import get_session_cache

logger = logging.getLogger(__name__)

PREFIX = "wagtail_user_sessions.visitor"

# Seconds by which the clocks of two servers may differ.
CLOCK_SKEW = 60
# Seconds for which all calls are left out after one has failed.
FAILURE_COOLDOWN = 5
# Seconds after which a call counts as failed, whatever it answers.
SLOW_CALL = 0.3
# How many purges are kept until they can be made, and how many are made at once.
MAX_PENDING = 10_000
MAX_AT_ONCE = 500
# What a copy has of its row, by attribute names in the order of the model's columns.
COLUMNS = frozenset(
    {"id", "version", "expire_date", "user_id", "key_hash", "session_data"}
)

# Errors of serializers that read what another one has written.
UNREADABLE = (UnicodeDecodeError, JSONDecodeError, UnpicklingError, EOFError)
# The answer of a call that has failed.
FAILED = object()

Row = TypeVar("Row", bound=models.Model)
Offer = Callable[[], object]

# Whether this process keeps copies, be it by another engine than SESSION_ENGINE.
are_kept = False

_paused_until = 0.0
# The purges that failed: each tag's key with its copy's.
_pending: dict[str, str] = {}
_pending_lock = threading.Lock()


class Names(NamedTuple):
    """The keys of a session's entries in the cache."""

    copy: str
    tag: str


class Loaded(NamedTuple, Generic[Row]):
    """A row, whether it is a copy, and what offers a copy of it to the cache."""

    row: Row | None
    is_copy: bool = False
    offer: Offer | None = None


def load(
    key_hash: bytes, *, model: type[Row], using: str, read: Callable[[], Row | None]
) -> Loaded[Row]:
    """Return the row of this hash: a copy that can be believed, else ``read()``.

    ``read()`` asks the database for the row, and returns ``None`` if the session has
    ended. Never raises but what ``read()`` raises.
    """
    if model._meta.parents:
        # A copy has the columns of one table.
        return Loaded(read())
    names = _names(key_hash, model, using)
    found = _call("get_many", names)
    if found is None:
        return Loaded(read())
    copy, tag = found.get(names.copy), found.get(names.tag)
    if tag is not None and copy is not None:
        row = _believed(copy, tag, key_hash, model, using)
        if row is not None:
            return Loaded(row, is_copy=True)
    read_at = time.time()
    row = read()
    if row is None or getattr(row, "user_id", None) is not None:
        return Loaded(row)
    if tag is None:
        _call("add", names.tag, _random(), timeout=_tag_age())
        return Loaded(row)
    entry = _entry(row, tag=tag, read_at=read_at)
    offer = partial(_call, "set", names.copy, entry, timeout=conf.CACHE_MAX_AGE)
    return Loaded(row, offer=offer)


def purge(key_hashes: Collection[bytes], *, model: type[Any], using: str) -> bool:
    """Disown the copies of visitors' rows that have changed or ended.

    Call it once that has committed. Returns whether the cache has been told; if not,
    the call is repeated when the cache answers again.
    """
    if not conf.CACHE_MAX_AGE or not key_hashes:
        return True
    left, is_told = iter(key_hashes), True
    while batch := [*islice(left, MAX_AT_ONCE)]:
        names = [_names(key_hash, model, using) for key_hash in batch]
        is_told &= _purge({name.tag: name.copy for name in names})
    return is_told


# The entries


def _entry(row: Any, *, tag: object, read_at: float) -> dict[str, Any]:
    """Return the copy of a row, as text and numbers for any serializer."""
    return {
        "id": str(row.pk),
        "version": row.version,
        "data": row.session_data,
        "expires": row.expire_date.isoformat(),
        "read_at": read_at,
        "tag": tag,
    }


def _believed(
    copy: Mapping[str, Any], tag: object, key_hash: bytes, model: type[Row], using: str
) -> Row | None:
    """Return the row of the copy; ``None`` where it can't be believed."""
    try:
        expire_date = datetime.fromisoformat(copy["expires"])
        age = time.time() - copy["read_at"]
        if (
            copy["tag"] != tag
            or not -CLOCK_SKEW <= age < conf.CACHE_MAX_AGE
            or expire_date <= timezone.now()
        ):
            return None
        values = {
            "id": uuid.UUID(copy["id"]),
            "version": int(copy["version"]),
            "expire_date": expire_date,
            "user_id": None,
            "key_hash": key_hash,
            "session_data": str(copy["data"]),
        }
    except (AttributeError, KeyError, TypeError, ValueError):
        # Something else wrote it, or USE_TZ has changed.
        return None
    names = _columns(model)
    return from_db(model, using, names, [values[name] for name in names])


@lru_cache(maxsize=8)
def _columns(model: type[models.Model]) -> tuple[str, ...]:
    attributes = (field.attname for field in model._meta.concrete_fields)
    return tuple(name for name in attributes if name in COLUMNS)


def _names(key_hash: bytes, model: type[models.Model], using: str) -> Names:
    """Return the keys of the entries: others for each database, schema and table.

    Tenants may share a cache. Redis Cluster keeps keys with the same text in braces
    on one server, which ``get_many()`` needs.
    """
    place = _place(connections[using])
    text = repr((*place, model._meta.db_table, key_hash))
    digest = sha256(text.encode()).hexdigest()
    return Names(f"{PREFIX}.copy.{{{digest}}}", f"{PREFIX}.tag.{{{digest}}}")


def _place(connection: BaseDatabaseWrapper) -> tuple[str, ...]:
    settings = connection.settings_dict
    options = settings["OPTIONS"]
    return (
        connection.alias,
        *(str(settings[name]) for name in ("HOST", "PORT", "NAME")),
        # Of psycopg: a search path, or all of the above.
        *(str(options.get(name, "")) for name in ("options", "service")),
        # Of django-tenants.
        str(getattr(connection, "schema_name", "")),
    )


def _tag_age() -> int:
    # Longer than any copy that was made under the tag.
    return conf.CACHE_MAX_AGE + CLOCK_SKEW


def _random() -> int:
    # A number, which Redis keeps as it is.
    return secrets.randbits(63)


# The calls


def _call(operation: str, *args: Any, **kwargs: Any) -> Any:
    """Return the cache's answer; ``None`` where it fails, or has failed just now."""
    if _is_paused() or (_pending and not _make_pending_purges()):
        return None
    answer = _ask(operation, *args, **kwargs)
    return None if answer is FAILED else answer


def _ask(operation: str, *args: Any, **kwargs: Any) -> Any:
    started = time.monotonic()
    try:
        answer = getattr(get_session_cache(), operation)(*args, **kwargs)
    except Exception as error:
        if operation == "get_many" and isinstance(error, UNREADABLE):
            # Written with another serializer, and in the way of what replaces it.
            return {} if _ask("delete_many", *args) is not FAILED else FAILED
        if isinstance(error, TypeError):
            # Of the serializer: drivers have errors of their own.
            _pause(f"doesn't take text and numbers in a dictionary: {error}")
        else:
            _pause("has failed", exc_info=True)
        return FAILED
    if time.monotonic() - started > SLOW_CALL:
        # Some backends swallow the error of a time-out.
        _pause("is slow")
    return answer


def _purge(names: dict[str, str]) -> bool:
    """Give the sessions new tags, and delete their copies."""
    if _is_paused() or not _renew_tags(names):
        _keep(names)
        return False
    # For room alone: the tag is what disowns a copy.
    if not _is_paused():
        _ask("delete_many", list(names.values()))
    return True


def _renew_tags(names: dict[str, str]) -> bool:
    tags = {tag: _random() for tag in names}
    refused = _ask("set_many", tags, timeout=_tag_age())
    if refused is FAILED:
        return False
    if refused:
        _pause("has not taken all entries")
    return not refused


def _keep(names: dict[str, str]) -> None:
    with _pending_lock:
        _pending.update(names)
        for tag in list(_pending)[: max(0, len(_pending) - MAX_PENDING)]:
            del _pending[tag]


def _make_pending_purges() -> bool:
    """Make the next of the purges that failed; return whether none is left."""
    with _pending_lock:
        names = dict(islice(_pending.items(), MAX_AT_ONCE))
    if _purge(names):
        with _pending_lock:
            for tag in names:
                _pending.pop(tag, None)
    return not _pending


def _is_paused() -> bool:
    return time.monotonic() < _paused_until


def _pause(why: str, *, exc_info: bool = False) -> None:
    global _paused_until
    _paused_until = time.monotonic() + FAILURE_COOLDOWN
    logger.error("The cache of the sessions %s", why, exc_info=exc_info)
