"""The row of a sign-in to which a concurrent request has given a new key.

So it is where ``SECRET_KEY`` was rotated: each request that is under way renews the key,
and the first one has it.
"""

from __future__ import annotations

from typing import Any

from django.db import connections, transaction
from django.utils import timezone

from wagtail_user_sessions.hashing import MARKER_KEY_HASH

from . import admission

# Any row of a session model. Models stand in a layer above this module.
Row = Any


def find_renewed(known: Row, *, using: str) -> Row | None:
    """Return the row as it is now, with its user, by the id of a known one.

    ``None`` if it is gone, has another user or a newer sign-in, or if the next request
    would not let it in.
    """
    with transaction.atomic(using=using):
        row = _lock(known, using=using)
        if row is None or row.signed_in_at != known.signed_in_at:
            return None
        marker = type(known).rows(using).filter(key_hash=MARKER_KEY_HASH)
        accepted = admission.accept([row, *marker], now=timezone.now())
    is_admitted = accepted is not None and admission.is_admitted(row)
    return row if is_admitted else None


def _lock(known: Row, *, using: str) -> Row | None:
    """Read row and user, locked: a plain read may see an old snapshot of them."""
    rows = type(known).rows(using).filter(pk=known.pk, user=known.user_id)
    row = rows.select_for_update().first()
    if row is not None:
        # The locks of other rows that refer to the user don't wait for this one.
        no_key = connections[using].features.has_select_for_no_key_update
        users = (
            type(row)._meta.get_field("user").related_model._base_manager.using(using)
        )
        locked = users.select_for_update(no_key=no_key).filter(pk=row.user_id)
        row.user = locked.first()
    return row
