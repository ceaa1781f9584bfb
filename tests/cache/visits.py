"""Requests of a visitor, as the middleware begins and ends them."""

from django.conf import settings
from django.utils.module_loading import import_string


class Visit:
    """The store of a request with the key of the session."""

    def __init__(self, session, method="GET"):
        key = session if isinstance(session, str) else session.session_key
        self.store = import_string(f"{settings.SESSION_ENGINE}.SessionStore")(key)
        self.method = method

    def __enter__(self):
        self.store.begin_request(is_read=self.method in ("GET", "HEAD"))
        return self.store

    def __exit__(self, exc_type, *_):
        if exc_type is None:
            self.store.end_request()


def visit(session, method="GET"):
    """Return what the session holds under "value"."""
    with Visit(session, method) as store:
        return store.get("value")
