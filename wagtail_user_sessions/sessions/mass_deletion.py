"""Many sessions deleted: those of everybody, and those that nobody can use any more."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import partial

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError
from django.utils import timezone

from wagtail_user_sessions.sql.transactions import TrackedWrite

from . import end_events, not_before
from .base import AbstractSession, SessionQuerySet
from .batches import delete_by_sign_in, delete_in_batches
from .reasons import Reason

logger = logging.getLogger("wagtail_user_sessions")

# Ids in one statement: some databases take no more than a thousand values.
CHUNK = 500


class MassRevocation:
    """Many sessions, ended a batch at a time; who signs in meanwhile stays so.

    What is cached is disowned all at once rather than one by one: before, with
    each batch that has committed, and after the last. ``cache_failed`` says
    whether the cache could not be told in the end.

    With a ``marker``, a new row that isn't saved, the rows are those of all users,
    but for the ids in ``spared``. They are refused from the first moment, and stay so
    where the deletion is broken off; in a transaction, from its commit on.
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
        self.cache_failed = False

    def __iter__(self) -> Iterator[int]:
        """Delete the rows; yields how many each batch had."""
        now = timezone.now()
        # By another server's clock, or the same one before it was put back.
        ahead = list(
            self.rows.filter(signed_in_at__gt=now).values_list("pk", flat=True)
        )
        if self.marker is not None:
            self._set_not_before(self.marker, now)
        self._purge()
        total = 0
        try:
            for count in self._delete(now, ahead):
                self._purge_on_commit()
                total += count
                yield count
        finally:
            # Whoever stops it half-way has ended sessions as well.
            self._purge_on_commit()
            logger.info("%d sessions ended: %s", total, self.reason)

    def _set_not_before(self, marker: AbstractSession, until: datetime) -> None:
        using, spared = self.rows.db, self.spared
        try:
            not_before.set_not_before(marker, using, until=until, spared=spared)
        except IntegrityError:
            # A site's own model may ask for what a row of nobody can't have.
            logger.exception("Sessions are not refused before they are deleted")

    def _delete(self, now: datetime, ahead: Sequence[uuid.UUID]) -> Iterator[int]:
        delete = partial(delete_by_sign_in, reason=self.reason, by=self.by)
        for start in range(0, len(ahead), CHUNK):
            yield from delete(self.rows.filter(pk__in=ahead[start : start + CHUNK]))
        yield from delete(self.rows.exclude(signed_in_at__gt=now))

    def _purge_on_commit(self) -> None:
        TrackedWrite(self.rows.db, self._purge)

    def _purge(self) -> None:
        self.cache_failed = not end_events.purge_all(self.rows.model)


def delete_expired(expired: SessionQuerySet) -> Iterator[int]:
    """Delete the expired sessions, and before them what is left of a sign-out of
    everybody that was broken off; yields how many each batch had.
    """
    # Copies in a cache refuse themselves after their expiry, and there are none of
    # what a barrier refuses.
    refused = not_before.rejected(expired.model.rows(expired.db))
    if refused is not None:
        yield from delete_by_sign_in(refused, reason=Reason.REVOKED)
        not_before.remove_expired(expired.model, expired.db)
    yield from delete_in_batches(expired, reason=Reason.EXPIRED, by_field="expire_date")
