"""The request that the middleware serves, for the stores that are made meanwhile.

Code of a site or of another package may put a store of its own on the request, or sign
somebody in with it. Such a store knows the client of the request, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from wagtail_user_sessions.client.request import Client, from_request


@dataclass(frozen=True, eq=False)
class RequestContext:
    request: HttpRequest
    # The stores that have loaded the session of a user during the request.
    signed_in: list[SessionBase] = field(default_factory=list)

    def read_client(self) -> Client | None:
        """Return the client of the request; ``None`` if no client has made it."""
        return None if is_dummy(self.request) else from_request(self.request)


_current: ContextVar[RequestContext | None] = ContextVar(__name__, default=None)


def current() -> RequestContext | None:
    """Return the context of the request that is served; ``None`` outside of one."""
    return _current.get()


def context_of(request: HttpRequest) -> RequestContext:
    """Return the context of a request: of a dummy, that of the request around it."""
    context = _current.get()
    if context is not None and (context.request is request or is_dummy(request)):
        return context
    return RequestContext(request)


@contextmanager
def serving(request: HttpRequest) -> Iterator[None]:
    """Make the request known to each store that is made inside the block."""
    token = _current.set(context_of(request))
    try:
        yield
    finally:
        _current.reset(token)


def is_dummy(request: HttpRequest) -> bool:
    """Return whether the site has made the request, with the cookie of a client.

    Wagtail does so for previews, and marks it as other renderers may.
    Source: ``wagtail.models.PreviewableMixin.make_preview_request``
    """
    return bool(getattr(request, "is_dummy", False))
