from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import Error

logger = logging.getLogger(__name__)

GONE = "it has ended."


class SessionRefused(SessionInterrupted, UpdateError):
    """A save or a change of key was refused.

    It is Django's ``UpdateError`` for whoever calls the store, and Django's
    ``SessionInterrupted`` (a bad request, 400) for whoever doesn't: a session
    that ends beside a request is nobody's server error.
    """

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The request's session was not saved: {why} "
            "The user may have logged out in a concurrent request, for example."
        )


@contextmanager
def refusing_database_errors() -> Iterator[None]:
    """Make every error of the database a ``SessionRefused``, and log it."""
    try:
        yield
    except Error as error:
        # Not its text, which may repeat the whole row.
        logger.error("The database refused to save a session: %s", type(error).__name__)
        raise SessionRefused("the database refused it.") from error
