"""The middleware that reads the session of a request and saves it again."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions import middleware
from django.contrib.sessions.exceptions import SessionInterrupted
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.utils.cache import add_never_cache_headers
from django.utils.functional import SimpleLazyObject

from . import activity, client
from .backends.db import SessionStore
from .revocation import Reason


class SessionMiddleware(middleware.SessionMiddleware):
    """Django's middleware, which also tells the session who its client is."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        if isinstance(request.session, SessionStore):
            # Read where it is needed: most requests write nothing.
            request.session.client = SimpleLazyObject(
                partial(client.from_request, request)
            )

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """Answer for a session that ended beside the view; else a 400."""
        if isinstance(exception, SessionInterrupted):
            return self._repeat(request)
        return None

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        session = getattr(request, "session", None)
        if not isinstance(session, SessionStore):
            return super().process_response(request, response)
        try:
            session.settle()
            if settings.SESSION_SAVE_EVERY_REQUEST and session.session_key:
                # A forged cookie is found out before an empty row is made of it.
                session.keys()
            _end_if_refused(request, session)
            response = super().process_response(request, response)
        except SessionInterrupted:
            repeated = self._repeat(request)
            if repeated is None:
                raise
            return repeated
        activity.touch(request)
        return response

    def _repeat(self, request: HttpRequest) -> HttpResponseBase | None:
        """Send a visitor to the same page again, who meets it with a dead cookie.

        Not if the row of the cookie is alive: the next try might end likewise.
        The cookie stays, for a request beside this one may just have renewed it.
        """
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        if request.method != "GET" or not key or self.SessionStore().exists(key):
            return None
        response = HttpResponseRedirect(request.get_full_path())
        add_never_cache_headers(response)
        return response


def _end_if_refused(request: HttpRequest, session: SessionStore) -> None:
    """End a session whose user the authentication has refused: one who was
    deactivated, say. Django only treats them as not signed in.
    """
    was_asked = {"_cached_user", "_acached_user"} & request.__dict__.keys()
    row = session.row
    if not was_asked or row is None or row.user_id is None:
        return
    user = request.__dict__.get("_acached_user") or request.user
    if SESSION_KEY in session and not user.is_authenticated:
        session.ending_reason = Reason.USER_INACTIVE
        session.flush()
