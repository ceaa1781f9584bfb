"""The middleware that opens the session of a request, and saves it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.sessions import middleware
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.http import escape_leading_slashes
from django.views.decorators.debug import sensitive_variables

from wagtail_user_sessions.backends.db import SessionStore
from wagtail_user_sessions.backends.request_context import context_of, serving

from .activity import is_ignored, record_activity
from .inactive_users import end_if_inactive

# The methods of requests that a copy may answer.
READS = ("GET", "HEAD")


class SessionMiddleware(middleware.SessionMiddleware):
    """Django's middleware, which also gives the session the client of the request."""

    def __call__(self, request: HttpRequest) -> Any:
        with serving(request):
            return super().__call__(request)

    async def __acall__(self, request: HttpRequest) -> Any:
        with serving(request):
            return await super().__acall__(request)

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        if isinstance(request.session, SessionStore):
            # A middleware's methods may also be called by hand.
            request.session.enter(context_of(request))
            request.session.begin_request(is_read=request.method in READS)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        """Redirect if the session has ended meanwhile; else Django answers with 400."""
        if isinstance(exception, SessionInterrupted):
            return self._redirect_to_same_page(request)
        return None

    def process_response(
        self, request: HttpRequest, response: HttpResponse
    ) -> HttpResponse:
        session = getattr(request, "session", None)
        if not isinstance(session, SessionStore):
            response = super().process_response(request, response)
            record_activity(request)
            return response
        try:
            response = self._save(request, session, response)
        except SessionInterrupted:
            redirect = self._redirect_to_same_page(request)
            if redirect is None:
                raise
            return redirect
        session.end_request()
        return response

    def _save(
        self, request: HttpRequest, session: SessionStore, response: HttpResponse
    ) -> HttpResponse:
        session.handle_rollbacks()
        if settings.SESSION_SAVE_EVERY_REQUEST and session.session_key:
            # The load drops a forged key, for which Django would save an empty row.
            session.keys()
        end_if_inactive(request, session)
        if _is_background(request, session):
            # No save: with SESSION_SAVE_EVERY_REQUEST it would lengthen the idle time.
            if session.accessed:
                patch_vary_headers(response, ("Cookie",))
            return response
        response = super().process_response(request, response)
        if session.is_key_replaced:
            # The browser gets the new key from the request that has made it.
            response.cookies.pop(settings.SESSION_COOKIE_NAME, None)
        record_activity(request)
        return response

    @sensitive_variables("key")
    def _redirect_to_same_page(self, request: HttpRequest) -> HttpResponse | None:
        """Redirect a GET to the same page, where the cookie is no longer valid.

        Only if the row of the cookie was read from the database and is gone now: else
        the next request could be redirected too. The cookie stays: a concurrent request may
        just have set a new one.
        """
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        if (
            request.method != "GET"
            or not key
            or getattr(getattr(request, "session", None), "loaded_key", None) != key
            or self._may_exist(key)
        ):
            return None
        # A path that begins with two slashes would name another host.
        path = escape_leading_slashes(request.get_full_path())
        response = HttpResponseRedirect(path)
        add_never_cache_headers(response)
        return response

    @sensitive_variables("session_key")
    def _may_exist(self, session_key: str) -> bool:
        try:
            return self.SessionStore().exists(session_key)
        except Error:
            return True


def _is_background(request: HttpRequest, session: SessionStore) -> bool:
    """Return whether the request is no activity, and has no change to be saved."""
    is_unchanged = not session.modified and not session.is_empty()
    return is_unchanged and is_ignored(request)
