"""Deletion of many sessions: everybody's, and those that are no longer admitted."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import partial

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError
from django.utils import timezone

from . import not_before
from .base import AbstractSession, SessionQuerySet
from .batches import delete_by_sign_in, delete_in_batches
from .reasons import Reason, RevokedCount

logger = logging.getLogger("wagtail_user_sessions")

# Ids in one statement: some databases allow no more than a thousand values.
CHUNK = 500


class MassRevocation:
    """Deletes many sessions in batches, but none that are signed in to meanwhile.

    No cache is notified unless the site listens to deletions: users' rows have no
    copies, and a visitor's is believed for ``CACHE_MAX_AGE`` at most.

    With a ``marker``, a new instance that isn't saved, the rows must be those of all
    users, without the ids in ``spared``. They are refused from the start, and stay
    refused if the deletion is broken off; in a transaction, from its commit on.
    """

    def __init__(
        self,
        rows: SessionQuerySet,
        *,
        by: AbstractBaseUser | None = None,
        reason: Reason | str = Reason.REVOKED,
        marker: AbstractSession | None = None,
        spared: Collection[uuid.UUID] = (),
    ) -> None:
        self.rows = rows.without_marker()
        self.by = by
        self.reason = reason
        self.marker = marker
        self.spared = spared
        # Set if the cache could not be notified of a visitor's session.
        self.cache_failed = False

    def __iter__(self) -> Iterator[int]:
        """Delete the rows; yields the number of rows of each batch."""
        now = timezone.now()
        # Signed in to by another server's clock, or by this one before it was put
        # back. Selected by their ids: a sign-in from now on stays.
        future = list(
            self.rows.filter(signed_in_at__gt=now).values_list("pk", flat=True)
        )
        if self.marker is not None:
            self._set_not_before(self.marker, now)
        total = 0
        try:
            for count in self._delete(now, future):
                total += count
                self.cache_failed |= count.cache_failed
                yield count
        finally:
            # Also if the caller stops half-way: sessions have ended by then.
            logger.info("%d sessions ended: %s", total, self.reason)

    def _set_not_before(self, marker: AbstractSession, until: datetime) -> None:
        using, spared = self.rows.db, self.spared
        try:
            not_before.set_not_before(marker, using, until=until, spared=spared)
        except IntegrityError:
            # A site's own model may require a value that the marker can't have.
            logger.exception("Sessions are not refused before they are deleted")

    def _delete(
        self, now: datetime, future: Sequence[uuid.UUID]
    ) -> Iterator[RevokedCount]:
        delete = partial(delete_by_sign_in, reason=self.reason, by=self.by)
        for start in range(0, len(future), CHUNK):
            yield from delete(self.rows.filter(pk__in=future[start : start + CHUNK]))
        yield from delete(self.rows.exclude(signed_in_at__gt=now))


def delete_expired(expired: SessionQuerySet) -> Iterator[int]:
    """Delete the rows that the marker rejects, then the expired ones.

    The first are what a sign-out of everybody has left that was broken off. Yields the
    number of rows of each batch.
    """
    # No cache has to be notified: a copy isn't believed after its expiry, and rows
    # that the marker rejects have users.
    rejected = not_before.rejected(expired.model.rows(expired.db))
    if rejected is not None:
        yield from delete_by_sign_in(rejected, reason=Reason.REVOKED)
        not_before.remove_expired(expired.model, expired.db)
    yield from delete_in_batches(expired, reason=Reason.EXPIRED, by_field="expire_date")
