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
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max, Q

from wagtail_user_sessions.hashing import NO_KEY
from wagtail_user_sessions.sql.transactions import retrying

from .base import AbstractSession, SessionQuerySet


def raise_barrier(
    row: AbstractSession, using: str, *, until: datetime, spared: Collection[uuid.UUID]
) -> None:
    """Refuse all sessions signed in to by then, but those with the ids given.

    ``row`` is a new one, not saved, with what a site's own model asks for. A
    barrier that was raised for a later moment stays as it is.

    Raises ``IntegrityError`` where the row lacks what a site's own model asks for.
    """
    row.key_hash = NO_KEY
    row.signed_in_at = until
    row.session_data = " ".join(map(str, spared))
    row.expire_date = _end_of_all(type(row).rows(using), until)
    retrying(using, partial(_write, row, using))


def _end_of_all(rows: SessionQuerySet, until: datetime) -> datetime:
    last: datetime = rows.aggregate(last=Max("expire_date"))["last"] or until
    return max(last, until + timedelta(seconds=settings.SESSION_COOKIE_AGE))


def _write(row: AbstractSession, using: str) -> None:
    """Without reading first: SQLite refuses who goes from reading to writing."""
    if _is_over_another(row, using):
        return
    try:
        with transaction.atomic(using=using):
            _insert(row, using)
    except IntegrityError:
        # There is one, perhaps since just now.
        is_there = _is_over_another(row, using)
        if not (is_there or _barriers(type(row), using).exists()):
            raise


def _is_over_another(row: AbstractSession, using: str) -> bool:
    older = _barriers(type(row), using).filter(signed_in_at__lt=row.signed_in_at)
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


def _barriers(model: type[AbstractSession], using: str) -> SessionQuerySet:
    return model.rows(using).filter(key_hash=NO_KEY)


def lower_if_over(model: type[AbstractSession], using: str) -> None:
    """Remove a barrier that no session can be left behind."""
    rows = _barriers(model, using).expired()
    if model._meta.parents:
        rows.delete()
    else:
        rows._raw_delete(using)


def refused(rows: SessionQuerySet) -> SessionQuerySet | None:
    """The rows that a barrier refuses; ``None`` where there is no barrier."""
    barrier = _barriers(rows.model, rows.db).first()
    if barrier is None or barrier.signed_in_at is None:
        return None
    until = barrier.signed_in_at
    signed_in = Q(signed_in_at__lte=until) | Q(signed_in_at=None, created_at__lte=until)
    rows = rows.sessions().filter(signed_in, user__isnull=False)
    return rows.exclude(pk__in=barrier.session_data.split())


def admitted(rows: Iterable[AbstractSession]) -> AbstractSession | None:
    """The row among those read for a key, if it isn't refused."""
    found = {row.key_hash: row for row in rows}
    barrier = found.pop(NO_KEY, None)
    row = next(iter(found.values()), None)
    if row is None or (barrier is not None and _is_refused(row, barrier)):
        return None
    return row


def _is_refused(row: AbstractSession, barrier: AbstractSession) -> bool:
    if row.user_id is None or barrier.signed_in_at is None:
        return False
    is_spared = str(row.pk) in barrier.session_data.split()
    return not is_spared and (row.signed_in_at or row.created_at) <= (
        barrier.signed_in_at
    )
