"""The copies of visitors' rows in a cache, and the writes that disown them.

A row with a user has no copy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.sql.transactions import TrackedWrite

# Any session model, and any query set of it. Models stand in a layer above this module.
Model = Any
Rows = Any

# Names of what a copy has, as arguments of ``update()`` may name it.
COPIED = copies.COLUMNS | {"pk", "user"}


def are_copied(model: Model) -> bool:
    """Return whether a cache may have copies of the model's rows."""
    return copies.are_kept or model.get_session_store_class().keeps_copies


def purge_copies(model: Model, key_hashes: Collection[bytes], *, using: str) -> bool:
    """Invalidate the copies of visitors' rows; return False if the cache failed."""
    if not are_copied(model):
        return True
    return copies.purge(key_hashes, model=model, using=using)


def purge_on_commit(model: Model, key_hashes: Collection[bytes], *, using: str) -> None:
    """Invalidate the copies once what was just written has committed."""
    TrackedWrite(using, partial(purge_copies, model, key_hashes, using=using))


@contextmanager
def purging(rows: Rows, columns: Iterable[str], *, using: str) -> Iterator[None]:
    """Invalidate the copies of the rows, of which the block changes the columns."""
    is_copied = not COPIED.isdisjoint(columns)
    key_hashes = find_copied(rows, using=using) if is_copied else []
    yield
    if key_hashes:
        purge_on_commit(rows.model, key_hashes, using=using)


@contextmanager
def replacing(model: Model, rows: Collection[Any], *, using: str) -> Iterator[None]:
    """Invalidate the copies of the rows that the block writes, instances of the model:
    under their keys, and under those that they have had.
    """
    ids = [row.pk for row in rows]
    replaced = find_copied(model.rows(using).filter(pk__in=ids), using=using)
    yield
    key_hashes = {*(row.key_hash for row in rows), *replaced}
    purge_on_commit(model, key_hashes, using=using)


def find_copied(rows: Rows, *, using: str) -> list[bytes]:
    """Return the key hashes of the rows that may have copies."""
    # Of a slice nothing can be changed: Django raises the error.
    if rows.query.is_sliced or not are_copied(rows.model):
        return []
    visitors = rows.using(using).filter(user=None).order_by()
    return [values["key_hash"] for values in visitors.values("key_hash")]
