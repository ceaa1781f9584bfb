"""What is deleted of sessions that nobody can use any more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wagtail_user_sessions import barrier
from wagtail_user_sessions.deletion import delete_by_sign_in, delete_in_batches
from wagtail_user_sessions.revocation import Reason

if TYPE_CHECKING:
    from wagtail_user_sessions.models import SessionQuerySet


def clear(expired: SessionQuerySet) -> Iterator[int]:
    """Delete the expired sessions, and before them what is left of a sign-out of
    everybody that was broken off; yields how many each batch had.
    """
    # Copies in a cache refuse themselves after their expiry, and there are none of
    # what a barrier refuses.
    refused = barrier.refused(expired.model.rows(expired.db))
    if refused is not None:
        yield from delete_by_sign_in(refused, reason=Reason.REVOKED)
        barrier.lower_if_over(expired.model, expired.db)
    yield from delete_in_batches(expired, reason=Reason.EXPIRED, by_field="expire_date")
