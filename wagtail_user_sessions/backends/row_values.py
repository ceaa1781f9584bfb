"""The columns of a row that follow from session data, and when they change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from secrets import randbelow
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from wagtail_user_sessions.client.columns import EMPTY, changed_columns, client_columns
from wagtail_user_sessions.client.request import Client
from wagtail_user_sessions.hashing import digest_auth_hash
from wagtail_user_sessions.sessions.base import AbstractSession
from wagtail_user_sessions.sql.instances import customizes_init

from .merge import AUTH_KEYS, Data

# Each save raises the version by at most this much: enough for 2**42 saves.
VERSION_STEP = 2**20
DATA_COLUMNS = ("version", "session_data", "expire_date", "user_id", "auth_digest")
# The columns of a row that nobody is signed in to: no client of its visitor.
ANONYMOUS = {"signed_in_at": None, "last_activity": None, "name": "", **EMPTY}


def user_id_of(data: Data) -> Any:
    """Return the primary key of the signed-in user; ``None`` if nobody is."""
    value = data.get(SESSION_KEY)
    if value is None:
        return None
    try:
        return get_user_model()._meta.pk.to_python(value)
    except ValidationError:
        return None


def is_of_user(data: Data, user_id: object) -> bool:
    """Return whether this user is signed in; for ``None``, whether nobody is."""
    value = data.get(SESSION_KEY)
    if value is None or user_id is None:
        return bool(user_id_of(data) == user_id)
    # Only a key that is written in another way needs the user model.
    return value == str(user_id) or bool(user_id_of(data) == user_id)


def data_of_user(data: Data, user_id: object) -> Data:
    """Return the data of a row with this user, signed out if it has another sign-in.

    Its user, from whom the row was taken, could no longer list or revoke it.
    """
    if not is_of_user(data, user_id):
        for name in AUTH_KEYS:
            data.pop(name, None)
    return data


def data_columns(
    data: Data, *, session_data: str, expire_date: datetime
) -> dict[str, Any]:
    """Return ``DATA_COLUMNS`` of a new row with the data.

    ``version`` is random: an UPDATE adds it to the version of the row.
    """
    auth_hash = data.get(HASH_SESSION_KEY)
    return {
        "version": 1 + randbelow(VERSION_STEP),
        "session_data": session_data,
        "expire_date": expire_date,
        "user_id": user_id_of(data),
        "auth_digest": digest_auth_hash(auth_hash) if auth_hash else None,
    }


def sign_in_columns(
    row: AbstractSession | None,
    user_id: object,
    *,
    is_sign_in: bool,
    read_client: Callable[[], Client | None],
) -> dict[str, Any]:
    """Return the columns that change when the row (``None``: a new one) gets this user.

    Empty while the user stays the same, unless this is a sign-in. Outside a
    request, without a client, the client columns of the same user stay.
    """
    known_id = None if row is None else row.user_id
    if user_id is None:
        return {} if known_id is None else dict(ANONYMOUS)
    if user_id == known_id and not is_sign_in:
        return {}
    now = timezone.now()
    columns: dict[str, Any] = {"signed_in_at": now, "last_activity": now}
    if user_id != known_id:
        columns["name"] = ""
    client = read_client()
    if client is not None:
        columns |= (
            client_columns(client)
            if row is None or user_id != known_id
            else changed_columns(row, client)
        )
    elif known_id not in {None, user_id}:
        # The client columns describe the client of another user.
        columns |= EMPTY
    return columns


def is_customized(model: type[AbstractSession]) -> bool:
    """Return whether a new row can have more columns than ours, or other values."""
    return bool(own_fields(model)) or customizes_init(model)


def columns_of_instance(row: AbstractSession) -> dict[str, Any]:
    """Return ``DATA_COLUMNS`` and the site's own columns of a row, to be saved."""
    return {
        **{name: getattr(row, name) for name in DATA_COLUMNS},
        **{
            field.attname: field.pre_save(row, add=False)
            for field in own_fields(type(row))
        },
    }


@lru_cache(maxsize=8)
def own_fields(model: type[AbstractSession]) -> tuple[models.Field[Any, Any], ...]:
    """Return the fields that a site's own model has beyond ours."""
    ours = {field.name for field in AbstractSession._meta.local_fields}
    return tuple(
        field
        for field in model._meta.concrete_fields
        if field.name not in ours
        and not getattr(field, "generated", False)
        and not getattr(field.remote_field, "parent_link", False)
    )
