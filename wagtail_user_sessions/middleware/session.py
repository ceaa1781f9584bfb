"""The middleware that reads the session of a request and saves it again."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.contrib.sessions import middleware
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.http import escape_leading_slashes
from django.views.decorators.debug import sensitive_variables

from wagtail_user_sessions.backends.db import SessionStore
from wagtail_user_sessions.client.request import from_request

from .activity import is_ignored, record_activity
from .inactive_users import end_if_inactive


class SessionMiddleware(middleware.SessionMiddleware):
    """Django's middleware, which also tells the session who its client is."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        if isinstance(request.session, SessionStore):
            request.session.read_client = partial(from_request, request)
            request.session.begin_request()

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        """Answer for a session that ended beside the view; else a 400."""
        if isinstance(exception, SessionInterrupted):
            return self._redirect_to_same_page(request)
        return None

    def process_response(
        self, request: HttpRequest, response: HttpResponse
    ) -> HttpResponse:
        session = getattr(request, "session", None)
        if not isinstance(session, SessionStore):
            return super().process_response(request, response)
        try:
            response = self._save(request, session, response)
        except SessionInterrupted:
            repeated = self._redirect_to_same_page(request)
            if repeated is None:
                raise
            return repeated
        session.end_request()
        return response

    def _save(
        self, request: HttpRequest, session: SessionStore, response: HttpResponse
    ) -> HttpResponse:
        session.handle_rollbacks()
        if settings.SESSION_SAVE_EVERY_REQUEST and session.session_key:
            # A forged cookie is found out before an empty row is made of it.
            session.keys()
        end_if_inactive(request, session)
        if _is_background(request, session):
            # It must not lengthen the idle time, be that the session's age.
            if session.accessed:
                patch_vary_headers(response, ("Cookie",))
            return response
        response = super().process_response(request, response)
        record_activity(request)
        return response

    @sensitive_variables("key")
    def _redirect_to_same_page(self, request: HttpRequest) -> HttpResponse | None:
        """Send a visitor to the same page again, who meets it with a dead cookie.

        Only if the row of the cookie was there and is gone, or the next try might
        end likewise. The cookie stays, for a request beside this one may just
        have renewed it.
        """
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        if (
            request.method != "GET"
            or not key
            or getattr(getattr(request, "session", None), "loaded_key", None) != key
            or self._may_be_alive(key)
        ):
            return None
        # A path that begins with two slashes would name another host.
        path = escape_leading_slashes(request.get_full_path())
        response = HttpResponseRedirect(path)
        add_never_cache_headers(response)
        return response

    @sensitive_variables("session_key")
    def _may_be_alive(self, session_key: str) -> bool:
        try:
            return self.SessionStore().exists(session_key)
        except Error:
            return True


def _is_background(request: HttpRequest, session: SessionStore) -> bool:
    """Whether a page made the request by itself, and nothing is to be saved."""
    is_unchanged = not session.modified and not session.is_empty()
    return is_unchanged and is_ignored(request)
