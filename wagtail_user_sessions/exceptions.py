from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import Error

logger = logging.getLogger(__name__)

GONE = "it has ended."
OTHER_USER = "its user changed before the request completed."


class SessionRefused(SessionInterrupted, UpdateError):
    """A save or a change of key was refused.

    Code that calls the store can catch Django's ``UpdateError``. Elsewhere it is
    Django's ``SessionInterrupted``, which is answered with 400 (bad request): a
    session that is deleted during a request is no server error.
    """

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The request's session was not saved: {why} "
            "The user may have logged out in a concurrent request, for example."
        )


@contextmanager
def refusing_database_errors() -> Iterator[None]:
    """Turn every error of the database into a ``SessionRefused``, and log it."""
    try:
        yield
    except Error as error:
        # Without the error's text, which may repeat the whole row.
        logger.error("The database refused to save a session: %s", type(error).__name__)
        raise SessionRefused("the database refused it.") from error
