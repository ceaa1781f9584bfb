"""The middleware that reads the session of a request and saves it again."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth import middleware as auth_middleware
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions import middleware
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import ObjectDoesNotExist
from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.functional import SimpleLazyObject
from django.utils.http import escape_leading_slashes
from django.views.decorators.debug import sensitive_variables

from . import activity, authentication, client
from .backends.db import SessionStore
from .models import AbstractSession
from .revocation import Reason


class SessionMiddleware(middleware.SessionMiddleware):
    """Django's middleware, which also tells the session who its client is."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        if isinstance(request.session, SessionStore):
            request.session.read_client = partial(client.from_request, request)
            request.session.begin_request()

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        """Answer for a session that ended beside the view; else a 400."""
        if isinstance(exception, SessionInterrupted):
            return self._repeat(request)
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
            repeated = self._repeat(request)
            if repeated is None:
                raise
            return repeated
        session.end_request()
        return response

    def _save(
        self, request: HttpRequest, session: SessionStore, response: HttpResponse
    ) -> HttpResponse:
        session.settle()
        if settings.SESSION_SAVE_EVERY_REQUEST and session.session_key:
            # A forged cookie is found out before an empty row is made of it.
            session.keys()
        _end_if_inactive(request, session)
        if _is_background(request, session):
            # It must not lengthen the idle time, be that the session's age.
            if session.accessed:
                patch_vary_headers(response, ("Cookie",))
            return response
        response = super().process_response(request, response)
        activity.touch(request)
        return response

    @sensitive_variables("key")
    def _repeat(self, request: HttpRequest) -> HttpResponse | None:
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


class AuthenticationMiddleware(auth_middleware.AuthenticationMiddleware):
    """Django's middleware, which reads session and user with one query.

    See ``authentication`` for when Django's own two queries are made.
    """

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        if isinstance(request.session, SessionStore):
            request.user = cast(Any, SimpleLazyObject(partial(_get_user, request)))
            request.auser = cast(Any, partial(_aget_user, request))


def _get_user(request: HttpRequest) -> AbstractBaseUser | AnonymousUser:
    known = vars(request)
    if "_cached_user" not in known:
        known["_cached_user"] = authentication.get_user(request)
    user: AbstractBaseUser | AnonymousUser = known["_cached_user"]
    return user


async def _aget_user(request: HttpRequest) -> AbstractBaseUser | AnonymousUser:
    known = vars(request)
    if "_acached_user" not in known:
        known["_acached_user"] = await authentication.aget_user(request)
    user: AbstractBaseUser | AnonymousUser = known["_acached_user"]
    return user


def _is_background(request: HttpRequest, session: SessionStore) -> bool:
    """Whether a page made the request by itself, and nothing is to be saved."""
    is_unchanged = not session.modified and not session.is_empty()
    return is_unchanged and activity.is_ignored(request)


def _end_if_inactive(request: HttpRequest, session: SessionStore) -> None:
    """End the session of a user who was deactivated.

    Django's authentication only treats them as not signed in.
    """
    row = session.row
    if (
        row is not None
        and row.user_id is not None
        and SESSION_KEY in session
        and _was_refused(request)
        and _is_inactive(row)
    ):
        session.ending_reason = Reason.USER_INACTIVE
        session.flush()


def _is_inactive(row: AbstractSession) -> bool:
    try:
        return not getattr(row.user, "is_active", True)
    except ObjectDoesNotExist:
        return True


def _was_refused(request: HttpRequest) -> bool:
    """Whether the request asked for its user, and was told of none."""
    known = vars(request)
    if getattr(known.get("_cached_user"), "is_authenticated", False):
        # In short, what most requests come to.
        return False
    users = [known["_acached_user"]] if "_acached_user" in known else []
    # A sign-in puts the user in the place of the lazy object.
    if "_cached_user" in known or type(known.get("user")) is not SimpleLazyObject:
        users.append(known.get("user"))
    return any(users) and not any(
        user.is_authenticated for user in users if user is not None
    )
