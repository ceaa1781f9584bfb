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


@dataclass(eq=False)
class RequestContext:
    request: HttpRequest
    # The stores that have loaded the session of a user during the request.
    signed_in: list[SessionBase] = field(default_factory=list)
    # Whether the response is made. Tasks that the request has started go on in a copy
    # of its context.
    is_closed: bool = False

    def read_client(self) -> Client | None:
        """Return the client of the request; ``None`` if no client has made it."""
        return None if is_dummy(self.request) else from_request(self.request)

    def note_signed_in(self, session: SessionBase) -> None:
        if not self.is_closed:
            self.signed_in.append(session)

    def close(self) -> None:
        self.is_closed = True
        self.signed_in.clear()

    def __deepcopy__(self, memo: object) -> RequestContext:
        # A copied store is one of the same request, which can't be copied.
        return self


_current: ContextVar[RequestContext | None] = ContextVar(__name__, default=None)


def current() -> RequestContext | None:
    """Return the context of the request that is served; ``None`` outside of one."""
    context = _current.get()
    return None if context is None or context.is_closed else context


def context_of(request: HttpRequest) -> RequestContext:
    """Return the context of the request that is served if it is this one, or has this
    dummy rendered; else one of its own, as where a middleware is called by hand.
    """
    context = current()
    if context is not None and (context.request is request or is_dummy(request)):
        return context
    return RequestContext(request)


@contextmanager
def serving(request: HttpRequest) -> Iterator[None]:
    """Make the request known to each store that is made inside the block."""
    outer, context = current(), context_of(request)
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)
        if context is not outer:
            context.close()


def is_dummy(request: HttpRequest) -> bool:
    """Return whether the site has made the request, with the cookie of a client.

    Wagtail does so for previews, and marks it as other renderers may.
    Source: ``wagtail.models.PreviewableMixin.make_preview_request``
    """
    return bool(getattr(request, "is_dummy", False))
