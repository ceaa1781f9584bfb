"""The sign-out of everybody, which holds from its first moment.

To delete a million rows takes seconds. So a row of its own, the barrier, says that
all of them have ended. It stands under a hash that no key has, and each load reads
it with the row that it asks for, by the same query. It stays when they are gone:
who was just signing in meanwhile gets no further either, and what is left of a
deletion that was broken off goes with the next ``clearsessions``.

Its columns: ``signed_in_at``, up to when whoever signed in is signed out;
``session_data``, the ids of the sessions that are spared; and ``expire_date``, from
when on no session can be left.
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
    """Refuse all sessions signed in to by then, but those with the ids given.

    ``row`` is a new one, not saved, with what a site's own model asks for. A
    barrier that was raised for a later moment stays as it is.

    Raises ``IntegrityError`` where the row lacks what a site's own model asks for.
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
    """Without reading first: SQLite refuses who goes from reading to writing."""
    if _replace_older(row, using):
        return
    try:
        with transaction.atomic(using=using):
            _insert(row, using)
    except IntegrityError:
        # There is one, perhaps since just now.
        is_there = _replace_older(row, using)
        if not (is_there or _markers(type(row), using).exists()):
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
        # Nobody is told: it is no session.
        type(row).rows(using).bulk_create([row])


def _markers(model: type[AbstractSession], using: str) -> SessionQuerySet:
    return model.rows(using).filter(key_hash=MARKER_KEY_HASH)


def remove_expired(model: type[AbstractSession], using: str) -> None:
    """Remove a barrier that no session can be left behind."""
    rows = _markers(model, using).expired()
    if model._meta.parents:
        rows.delete()
    else:
        rows._raw_delete(using)


def rejected(rows: SessionQuerySet) -> SessionQuerySet | None:
    """The rows that a barrier refuses; ``None`` where there is no barrier."""
    marker = _markers(rows.model, rows.db).first()
    if marker is None or marker.signed_in_at is None:
        return None
    return rows.without_marker().filter(rejected_by(marker))
