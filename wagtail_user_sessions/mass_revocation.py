from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import partial

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError
from django.utils import timezone

from wagtail_user_sessions import barrier
from wagtail_user_sessions.backends.db import SessionStore
from wagtail_user_sessions.deletion import delete_by_sign_in
from wagtail_user_sessions.models import SessionQuerySet
from wagtail_user_sessions.revocation import Reason
from wagtail_user_sessions.writes import Write

logger = logging.getLogger("wagtail_user_sessions")

# Ids in one statement: some databases take no more than a thousand values.
CHUNK = 500


class MassRevocation:
    """Many sessions, ended a batch at a time; who signs in meanwhile stays so.

    What is cached is disowned all at once rather than one by one: before, with
    each batch that has committed, and after the last. ``cache_failed`` says
    whether the cache could not be told in the end.

    ``is_of_everybody`` says that the rows are those of all users, but for the ids
    in ``spared``. They are refused from the first moment, and stay so where the
    deletion is broken off; in a transaction, from its commit on.
    """

    def __init__(
        self,
        rows: SessionQuerySet,
        *,
        engine: type[SessionStore],
        by: AbstractBaseUser | None = None,
        reason: Reason | str = Reason.REVOKED,
        is_of_everybody: bool = False,
        spared: Collection[uuid.UUID] = (),
    ) -> None:
        self.rows = rows.sessions()
        self.engine = engine
        self.by = by
        self.reason = reason
        self.is_of_everybody = is_of_everybody
        self.spared = spared
        self.cache_failed = False

    def __iter__(self) -> Iterator[int]:
        """Delete the rows; yields how many each batch had."""
        now = timezone.now()
        # By another server's clock, or the same one before it was put back.
        ahead = list(
            self.rows.filter(signed_in_at__gt=now).values_list("pk", flat=True)
        )
        if self.is_of_everybody:
            self._raise_barrier(now)
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

    def _raise_barrier(self, until: datetime) -> None:
        new = self.engine().create_model_instance({})
        try:
            barrier.raise_barrier(new, self.rows.db, until=until, spared=self.spared)
        except IntegrityError:
            # A site's own model may ask for what a row of nobody can't have.
            logger.exception("Sessions are not refused before they are deleted")

    def _delete(self, now: datetime, ahead: Sequence[uuid.UUID]) -> Iterator[int]:
        delete = partial(delete_by_sign_in, reason=self.reason, by=self.by)
        for start in range(0, len(ahead), CHUNK):
            yield from delete(self.rows.filter(pk__in=ahead[start : start + CHUNK]))
        yield from delete(self.rows.exclude(signed_in_at__gt=now))

    def _purge_on_commit(self) -> None:
        Write(self.rows.db, self._purge)

    def _purge(self) -> None:
        self.cache_failed = not self.engine.purge_all()
