"""The user of a request, from the row of its session.

Never laxer than Django's own ``get_user``, which decides in all but the common case.
"""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib import auth
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    backends,
)
from django.contrib.auth import middleware as auth_middleware
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import models, router
from django.db.models import Q, manager
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject

from wagtail_user_sessions.backends.db import SessionStore
from wagtail_user_sessions.backends.row_values import is_of_user
from wagtail_user_sessions.sessions.base import AbstractSession
from wagtail_user_sessions.sql import compiled_queries
from wagtail_user_sessions.sql.instances import django_original

GET_USER, AGET_USER = (
    django_original(ModelBackend, name, backends) for name in ("get_user", "aget_user")
)
READS = ("get_queryset", "get", "aget")
GET_QUERYSET, GET, AGET = (
    django_original(models.Manager, name, manager) for name in READS
)


class AuthenticationMiddleware(auth_middleware.AuthenticationMiddleware):
    """Django's middleware, which reads session and user with one query.

    Where it can't, as ``_find`` says, Django's own two queries are made.
    """

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        if isinstance(request.session, SessionStore):
            request.user = cast(
                Any, SimpleLazyObject(partial(_get_cached_user, request))
            )
            request.auser = cast(Any, partial(_aget_cached_user, request))


def _get_cached_user(request: HttpRequest) -> AbstractBaseUser | AnonymousUser:
    known = vars(request)
    if "_cached_user" not in known:
        known["_cached_user"] = get_user(request)
    user: AbstractBaseUser | AnonymousUser = known["_cached_user"]
    return user


async def _aget_cached_user(request: HttpRequest) -> AbstractBaseUser | AnonymousUser:
    known = vars(request)
    if "_acached_user" not in known:
        known["_acached_user"] = await aget_user(request)
    user: AbstractBaseUser | AnonymousUser = known["_acached_user"]
    return user


def get_user(request: HttpRequest) -> AbstractBaseUser | AnonymousUser:
    """Return what ``django.contrib.auth.get_user`` returns."""
    session = cast("SessionStore", request.session)
    session.reads_user = is_read_now = _is_unread(session)
    is_signed_in = SESSION_KEY in session
    session.reads_user = False
    if is_signed_in and (found := _find(session)) is not None:
        row, backend = found
        user = (is_read_now and _known_user(row)) or _read_user(row)
        if user and _can_sign_in(user, backend, session):
            return user
    return auth.get_user(request)


async def aget_user(request: HttpRequest) -> AbstractBaseUser | AnonymousUser:
    """Return what ``django.contrib.auth.aget_user`` returns."""
    session = cast("SessionStore", request.session)
    session.reads_user = is_read_now = _is_unread(session)
    is_signed_in = await session.ahas_key(SESSION_KEY)
    session.reads_user = False
    if is_signed_in and (found := _find(session)) is not None:
        row, backend = found
        known = is_read_now and _known_user(row)
        user = known or await sync_to_async(_read_user)(row)
        if user and _can_sign_in(user, backend, session):
            return user
    return await auth.aget_user(request)


def _is_unread(session: SessionStore) -> bool:
    """Return whether the session is still to be read.

    If it isn't, a user who was read with it may have been deactivated since.
    """
    return "_session_cache" not in vars(session)


def _find(session: Any) -> tuple[AbstractSession, ModelBackend] | None:
    """Return the row with the user, and the backend that can admit the user.

    ``None`` where Django has to decide: without a row of ours, with a backend or
    managers that a site has customized, or with a row of another user.
    """
    if not isinstance(session, SessionStore):
        return None
    row, path = session.row, str(session.get(BACKEND_SESSION_KEY))
    if row is None or path not in settings.AUTHENTICATION_BACKENDS:
        return None
    backend = cast(ModelBackend, auth.load_backend(path))
    if not (
        type(backend).get_user is GET_USER
        and type(backend).aget_user is AGET_USER
        and _has_djangos_managers(row)
        and is_of_user(session._session, row.user_id)  # type: ignore[attr-defined]
    ):
        return None
    return row, backend


def _has_djangos_managers(row: AbstractSession) -> bool:
    """Return whether Django reads users from the row's database, and all of them."""
    model = auth.get_user_model()
    manager = model._default_manager
    return (
        row._meta.get_field("user").related_model is model
        and router.db_for_write(model) == row._state.db
        and type(manager).get_queryset is GET_QUERYSET
        and type(manager).get is GET
        and type(manager).aget is AGET
        and vars(manager).keys().isdisjoint(READS)
        and manager._queryset_class is models.QuerySet  # type: ignore[attr-defined]
    )


def _known_user(row: AbstractSession) -> AbstractBaseUser | None:
    """Return the user that was read with the row, if any."""
    relation: Any = row._meta.get_field("user")
    user: AbstractBaseUser | None = relation.get_cached_value(row, default=None)
    return user


def _read_user(row: AbstractSession) -> AbstractBaseUser | None:
    """Read the user alone: the row was read earlier, or came from a cache."""
    using = row._state.db or router.db_for_write(type(row))
    user = compiled_queries.get(auth.get_user_model(), using, Q(pk=row.user_id))
    if user is not None:
        row.user = user
    return user


def _can_sign_in(
    user: AbstractBaseUser, backend: ModelBackend, session: SessionStore
) -> bool:
    session_hash = session.get(HASH_SESSION_KEY)
    return (
        backend.user_can_authenticate(cast(Any, user))
        and hasattr(user, "get_session_auth_hash")
        and bool(session_hash)
        and constant_time_compare(cast(str, session_hash), user.get_session_auth_hash())
    )
