"""The sign-out of everybody, which holds from its first moment.

To delete a million rows takes seconds. Until the last of them is gone, a row of its
own says that all of them have ended. It stands under a hash that no key has, and
each load reads it with the row that it asks for, by the same query.

Its columns: ``signed_in_at``, up to when whoever signed in is signed out;
``session_data``, the ids of the sessions that are spared; and ``expire_date``, that
of the last session: should the deletion be broken off, none of them comes back.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Max

from .digests import KEY_HASH_LENGTH

if TYPE_CHECKING:
    from .models import AbstractSession, SessionQuerySet

KEY_HASH = bytes(KEY_HASH_LENGTH)


def begin(
    model: type[AbstractSession],
    using: str,
    *,
    until: datetime,
    spared: Collection[uuid.UUID],
    own_columns: Mapping[str, Any],
) -> None:
    """Refuse all sessions signed in to by then, but those with the ids given.

    ``own_columns`` are what the row is to have in the columns of a site's own model.
    """
    rows = model.rows(using)
    last = rows.aggregate(last=Max("expire_date"))["last"]
    columns = {
        "signed_in_at": until,
        "session_data": " ".join(map(str, spared)),
        "expire_date": last or until,
    }
    rows.update_or_create(
        key_hash=KEY_HASH,
        defaults=columns,
        create_defaults={**own_columns, **columns},
    )


def end(model: type[AbstractSession], using: str, *, until: datetime) -> None:
    """All of them are gone; a later sign-out of everybody goes on."""
    rows = model.rows(using).filter(key_hash=KEY_HASH, signed_in_at=until)
    rows._raw_delete(using)


def without_mark(rows: SessionQuerySet) -> SessionQuerySet:
    return rows.exclude(key_hash=KEY_HASH)


def admitted(rows: Iterable[AbstractSession]) -> AbstractSession | None:
    """The row among those read for a key, if it isn't refused."""
    row = mark = None
    for found in rows:
        if found.key_hash == KEY_HASH:
            mark = found
        else:
            row = found
    if row is None or (mark is not None and _is_refused(row, mark)):
        return None
    return row


def _is_refused(row: AbstractSession, mark: AbstractSession) -> bool:
    if row.user_id is None or str(row.pk) in mark.session_data.split():
        return False
    until = mark.signed_in_at
    return row.signed_in_at is None or until is None or row.signed_in_at <= until
