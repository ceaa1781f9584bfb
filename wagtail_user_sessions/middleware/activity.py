"""The activity write: when a signed-in session was last used, and from where.

It is made after the view, and changes neither the data, the version nor the
expiry of the row. It writes only columns without an index, so that PostgreSQL can
keep the update heap-only.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from django.contrib.auth import SESSION_KEY
from django.db import DEFAULT_DB_ALIAS, Error
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from wagtail_user_sessions.backends.db import SessionStore
from wagtail_user_sessions.backends.request_context import context_of, is_dummy
from wagtail_user_sessions.cache.claims import claim
from wagtail_user_sessions.client.columns import (
    EMPTY,
    changed_columns,
    has_changed,
    identity_columns,
    is_empty,
    is_new_client,
)
from wagtail_user_sessions.client.request import Client
from wagtail_user_sessions.conf import conf
from wagtail_user_sessions.sessions.base import AbstractSession
from wagtail_user_sessions.signals import session_client_changed
from wagtail_user_sessions.sql import compiled_queries
from wagtail_user_sessions.sql.instances import copy_instance, set_attributes
from wagtail_user_sessions.sql.transactions import TrackedWrite

logger = logging.getLogger(__name__)


def record_activity(request: HttpRequest) -> None:
    """Write that the sessions of the request were active, where that is due.

    Mostly that is one. Code of a site may have put another on the request, and taken
    it off again. Nothing is written for a session that the request did not read or
    has ended, nor for an anonymous one. Errors of the database are logged, not raised.
    """
    if _is_request_ignored(request):
        return
    for session in _active_sessions(request):
        try:
            _record(session)
        except Error:
            # The response is ready, and a lost activity write does no harm.
            logger.exception("A session's activity could not be written")


def _active_sessions(request: HttpRequest) -> Iterator[SessionStore]:
    """Yield the session of the request, and one that was on it for a while."""
    own = getattr(request, "session", None)
    others: dict[object, SessionStore] = {}
    for session in context_of(request).signed_in:
        if isinstance(session, SessionStore) and session.row is not None:
            others[session.row.pk] = session
    if isinstance(own, SessionStore):
        yield own
        if own.row is not None:
            others.pop(own.row.pk, None)
    # A request that reads several looks at sessions of other clients.
    if len(others) == 1:
        yield from others.values()


def _record(session: SessionStore) -> None:
    row, client = session.row, session.client
    if row is None or row.user_id is None or client is None or not session.is_activity:
        return
    # Else the data of the row can't be decoded any more: nobody is signed in.
    if SESSION_KEY in session:
        _write_if_due(row, client, now=timezone.now())


def _write_if_due(row: AbstractSession, client: Client, *, now: datetime) -> None:
    cutoff = now - timedelta(seconds=conf.ACTIVITY_INTERVAL)
    is_changed = has_changed(row, identity_columns(client))
    is_due = row.last_activity is None or row.last_activity < cutoff
    if is_due:
        condition = Q(last_activity=None) | Q(last_activity__lt=cutoff)
    elif is_changed and (is_empty(row) or _claim_change(row)):
        condition = Q()
    else:
        return
    columns = changed_columns(row, client) if is_changed else {}
    _write(row, {"last_activity": now, **columns}, condition)


def _write(row: AbstractSession, columns: dict[str, object], condition: Q) -> None:
    using = row._state.db or DEFAULT_DB_ALIAS
    condition = Q(condition, pk=row.pk, user_id=row.user_id)
    if (
        not compiled_queries.update(type(row), using, condition, columns)
        or len(columns) == 1
    ):
        return
    changed = set_attributes(copy_instance(row), columns)
    previous = {name: getattr(row, name) for name in EMPTY}

    announce = partial(
        session_client_changed.send_robust,
        type(row),
        session=changed,
        previous=previous,
    )
    TrackedWrite(using, *([announce] if is_new_client(row, changed) else []))


def _claim_change(row: AbstractSession) -> bool:
    """Return whether this request may write a changed client before it is due.

    True at most once an interval (and process): a client with two addresses
    alternates between them.
    """
    return claim(f"client.{row.pk}")


def is_ignored(request: HttpRequest) -> bool:
    """Return whether the request doesn't count as an activity of its user."""
    is_activity = getattr(request.session, "is_activity", True)
    return not is_activity or _is_request_ignored(request)


def _is_request_ignored(request: HttpRequest) -> bool:
    match = request.resolver_match
    is_named = match is not None and match.view_name in conf.ACTIVITY_IGNORE
    return is_named or is_dummy(request)
