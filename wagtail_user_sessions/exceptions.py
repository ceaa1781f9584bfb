from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted


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
