"""The not-before marker: it makes the sign-out of everybody hold from its start.

To delete a million rows takes seconds. So a row of its own, the marker, rejects all
of them until they are deleted. It stands under a hash that no session key has, and
each load reads it with the session's row, by the same query. It stays when the rows
are gone, to reject a sign-in that was under way and commits later. If the deletion
is broken off, the next ``clearsessions`` deletes the rest.

Its columns: ``signed_in_at``, the time up to which sessions are rejected by their
sign-in; ``session_data``, the ids of the sessions that are spared; and
``expire_date``, the time from which on no rejected session can be left.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max

from wagtail_user_sessions.hashing import MARKER_KEY_HASH
from wagtail_user_sessions.sql.transactions import retry_on_deadlock

from .admission import rejected_by
from .base import AbstractSession, SessionQuerySet


def set_not_before(
    row: AbstractSession, using: str, *, until: datetime, spared: Collection[uuid.UUID]
) -> None:
    """Reject all sessions signed in to up to ``until``, but those with ``spared`` ids.

    ``row`` is a new instance, not saved, with values for the columns that a site's own
    model requires. A marker with a later ``until`` stays as it is.

    Raises ``IntegrityError`` if the row lacks a value that a site's own model requires.
    """
    row.key_hash = MARKER_KEY_HASH
    row.signed_in_at = until
    row.session_data = " ".join(map(str, spared))
    row.expire_date = _last_expiry(type(row).rows(using), until)
    retry_on_deadlock(using, partial(_write, row, using))


def _last_expiry(rows: SessionQuerySet, until: datetime) -> datetime:
    last: datetime = rows.aggregate(last=Max("expire_date"))["last"] or until
    return max(last, until + timedelta(seconds=settings.SESSION_COOKIE_AGE))


def _write(row: AbstractSession, using: str) -> None:
    """Update or insert the marker.

    Without reading first: SQLite fails a transaction that goes from reading to writing.
    """
    if _replace_older(row, using):
        return
    try:
        with transaction.atomic(using=using):
            _insert(row, using)
    except IntegrityError:
        # There is a marker, perhaps another request's that was inserted just now.
        is_replaced = _replace_older(row, using)
        if not (is_replaced or _markers(type(row), using).exists()):
            raise


def _replace_older(row: AbstractSession, using: str) -> bool:
    older = _markers(type(row), using).filter(signed_in_at__lt=row.signed_in_at)
    changed = older.update(
        signed_in_at=row.signed_in_at,
        session_data=row.session_data,
        expire_date=row.expire_date,
    )
    return bool(changed)


def _insert(row: AbstractSession, using: str) -> None:
    if row._meta.parents:
        row.save(using=using, force_insert=True)
    else:
        # Without Django's signals: the marker is no session.
        type(row).rows(using).bulk_create([row])


def _markers(model: type[AbstractSession], using: str) -> SessionQuerySet:
    return model.rows(using).filter(key_hash=MARKER_KEY_HASH)


def remove_expired(model: type[AbstractSession], using: str) -> None:
    """Delete a marker that has expired: no session that it rejects can be left."""
    rows = _markers(model, using).expired()
    if model._meta.parents:
        rows.delete()
    else:
        rows._raw_delete(using)


def rejected(rows: SessionQuerySet) -> SessionQuerySet | None:
    """Return the rows that the marker rejects; ``None`` if there is no marker."""
    marker = _markers(rows.model, rows.db).first()
    if marker is None or marker.signed_in_at is None:
        return None
    return rows.without_marker().filter(rejected_by(marker))
