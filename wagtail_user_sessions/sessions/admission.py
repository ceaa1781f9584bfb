"""Whether the next request would let a session in: in SQL, and in Python beside it.

A session is let in unless it has expired, its user may no longer sign in, the
password has changed since the sign-in, or the not-before marker rejects it. A list
asks the database, and a request asks the row that it has read. Both answers stand
here together. Two answers are weaker than a request's: the filters of the admin
can't see a changed password, and ``is_admitted`` doesn't ask the marker.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from wagtail_user_sessions.hashing import MARKER_KEY_HASH, valid_auth_hashes

# A row of any session model. Models stand in a layer above this module.
Row = TypeVar("Row", bound=Any)
# Arguments of ``filter()``, which a ``Q`` in their place makes slower.
Lookups = dict[str, Any]


def is_admitted(row: Any) -> bool:
    """Return whether a session, read with its user, is let in as its data says.

    The marker isn't asked: ``clearsessions`` deletes what it rejects.
    """
    if not is_unexpired(row, now=timezone.now()):
        return False
    user = row.user
    return user is None or (is_active_user(user) and has_valid_auth_hash(row, user))


# Expiry


def unexpired() -> Lookups:
    """Return the lookups of rows that have not expired."""
    return {"expire_date__gt": timezone.now()}


def is_unexpired(row: Any, *, now: datetime) -> bool:
    return bool(row.expire_date > now)


# The user


def of_inactive_user() -> Exists:
    """Return the condition of rows whose user exists, but may not sign in."""
    return Exists(_inactive_users().filter(pk=OuterRef("user")))


def is_active_user(user: AbstractBaseUser) -> bool:
    # Django allows a user model without the attribute.
    return bool(getattr(user, "is_active", True))


def _inactive_users() -> QuerySet[Any]:
    users: QuerySet[Any] = get_user_model()._base_manager.all()
    try:
        get_user_model()._meta.get_field("is_active")
    except FieldDoesNotExist:
        return users.none()
    return users.filter(is_active=False)


# The password


def with_valid_auth_hash(user: AbstractBaseUser) -> Lookups:
    """Return the lookups of rows of the user that have a valid auth hash.

    A row's hash is no longer valid once the password has changed. Without such hashes,
    as Django allows for a user model, only rows without one are valid.
    """
    hashes = valid_auth_hashes(user)
    return {"auth_digest__in": tuple(hashes)} if hashes else {"auth_digest": None}


def has_valid_auth_hash(row: Any, user: AbstractBaseUser) -> bool:
    hashes = valid_auth_hashes(user)
    return bool(row.auth_digest in hashes if hashes else row.auth_digest is None)


# The not-before marker; see ``not_before``


def rejected_by(marker: Any) -> Q:
    """Return the condition of rows that the marker rejects."""
    until = marker.signed_in_at
    signed_in = Q(signed_in_at__lte=until) | Q(signed_in_at=None, created_at__lte=until)
    spared = Q(pk__in=marker.session_data.split())
    return signed_in & Q(user__isnull=False) & ~spared


def accept(rows: Iterable[Row], *, now: datetime) -> Row | None:
    """Return the row of the session, among the rows read for its key hash and the
    marker's.

    ``None`` if there is no such row, it has expired, or the marker rejects it.
    """
    found = {row.key_hash: row for row in rows if is_unexpired(row, now=now)}
    marker = found.pop(MARKER_KEY_HASH, None)
    row = next(iter(found.values()), None)
    if row is None or (marker is not None and _is_rejected(row, marker)):
        return None
    return row


def _is_rejected(row: Any, marker: Any) -> bool:
    if row.user_id is None or marker.signed_in_at is None:
        return False
    is_spared = str(row.pk) in marker.session_data.split()
    signed_in_at = row.signed_in_at or row.created_at
    return not is_spared and bool(signed_in_at <= marker.signed_in_at)
