from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Iterator
from datetime import datetime
from functools import partial

from django.contrib.auth.base_user import AbstractBaseUser

from wagtail_user_sessions import columns, everybody
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

    ``until`` is for everybody: the rows are all sessions that were signed in to by
    then, but those with the ids in ``spared``. They are refused from the first
    moment, and stay so where the deletion is broken off.
    """

    def __init__(
        self,
        rows: SessionQuerySet,
        *,
        engine: type[SessionStore],
        by: AbstractBaseUser | None = None,
        reason: Reason | str = Reason.REVOKED,
        until: datetime | None = None,
        spared: Collection[uuid.UUID] = (),
    ) -> None:
        self.rows = everybody.without_mark(rows)
        self.engine = engine
        self.by = by
        self.reason = reason
        self.until = until
        self.spared = spared
        self.cache_failed = False

    def __iter__(self) -> Iterator[int]:
        """Delete the rows; yields how many each batch had."""
        if self.until is not None:
            self._refuse_all(self.until)
        self._purge()
        total = 0
        try:
            for count in self._delete():
                self._purge_on_commit()
                total += count
                yield count
        finally:
            # Whoever stops it half-way has ended sessions as well.
            self._purge_on_commit()
            logger.info("%d sessions ended: %s", total, self.reason)

        if self.until is not None:
            everybody.end(self.rows.model, self.rows.db, until=self.until)

    def _refuse_all(self, until: datetime) -> None:
        new = self.engine().create_model_instance({})
        everybody.begin(
            self.rows.model,
            self.rows.db,
            until=until,
            spared=self.spared,
            own_columns=columns.own_columns(new),
        )

    def _delete(self) -> Iterator[int]:
        """In the order of sign-in, which is mostly the order of the table as well;
        then those who never signed in.

        A row that signs in meanwhile isn't passed by: it goes ahead in that order.
        """
        delete = partial(delete_in_batches, reason=self.reason, by=self.by)
        yield from delete(
            self.rows.filter(signed_in_at__isnull=False), by_field="signed_in_at"
        )
        rows = self.rows.filter(signed_in_at=None)
        if rows.exists():
            yield from delete(rows)

    def _purge_on_commit(self) -> None:
        Write(self.rows.db, self._purge)

    def _purge(self) -> None:
        self.cache_failed = not self.engine.purge_all()
