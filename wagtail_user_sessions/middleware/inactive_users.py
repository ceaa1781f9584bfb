"""The end of a session whose user was deactivated."""

from __future__ import annotations

from django.contrib.auth import SESSION_KEY
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from wagtail_user_sessions.backends.db import SessionStore
from wagtail_user_sessions.sessions.admission import is_active_user
from wagtail_user_sessions.sessions.base import AbstractSession
from wagtail_user_sessions.sessions.reasons import Reason


def end_if_inactive(request: HttpRequest, session: SessionStore) -> None:
    """End the session of a user who was deactivated.

    Django's authentication only treats such a user as not signed in.
    """
    row = session.row
    if (
        row is not None
        and row.user_id is not None
        and SESSION_KEY in session
        and _was_refused(request)
        and _is_inactive(row)
    ):
        session.end_reason = Reason.USER_INACTIVE
        session.flush()


def _is_inactive(row: AbstractSession) -> bool:
    try:
        return row.user is not None and not is_active_user(row.user)
    except ObjectDoesNotExist:
        return True


def _was_refused(request: HttpRequest) -> bool:
    """Return whether the request read its user, and got an anonymous one."""
    known = vars(request)
    if getattr(known.get("_cached_user"), "is_authenticated", False):
        # The shortcut of most requests.
        return False
    users = [known["_acached_user"]] if "_acached_user" in known else []
    # A sign-in replaces the lazy object by the user.
    if "_cached_user" in known or type(known.get("user")) is not SimpleLazyObject:
        users.append(known.get("user"))
    return any(users) and not any(
        user.is_authenticated for user in users if user is not None
    )
