from __future__ import annotations

import logging
from collections.abc import Iterator

from django.contrib.auth.base_user import AbstractBaseUser

from wagtail_user_sessions.backends.db import SessionStore
from wagtail_user_sessions.deletion import delete_in_batches
from wagtail_user_sessions.models import SessionQuerySet
from wagtail_user_sessions.revocation import Reason
from wagtail_user_sessions.writes import Write

logger = logging.getLogger("wagtail_user_sessions")


class MassRevocation:
    """Many sessions, ended a batch at a time.

    What is cached is disowned all at once rather than one by one: before, with
    each batch that has committed, and after the last. ``cache_failed`` says
    whether the cache could not be told in the end.
    """

    def __init__(
        self,
        rows: SessionQuerySet,
        *,
        engine: type[SessionStore],
        by: AbstractBaseUser | None = None,
        reason: Reason | str = Reason.REVOKED,
    ) -> None:
        self.rows = rows
        self.engine = engine
        self.by = by
        self.reason = reason
        self.cache_failed = False

    def __iter__(self) -> Iterator[int]:
        """Delete the rows; yields how many each batch had."""
        self._purge()
        total = 0
        try:
            for count in delete_in_batches(self.rows, reason=self.reason, by=self.by):
                self._purge_on_commit()
                total += count
                yield count
        finally:
            # Whoever stops it half-way has ended sessions as well.
            self._purge_on_commit()
            logger.info("%d sessions ended: %s", total, self.reason)

    def _purge_on_commit(self) -> None:
        Write(self.rows.db, self._purge)

    def _purge(self) -> None:
        self.cache_failed = not self.engine.purge_all()
