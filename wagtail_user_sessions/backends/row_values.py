"""What a row has of the data of its session, and when that changes."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.contrib.auth import SESSION_KEY, get_user_model
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from wagtail_user_sessions.client.columns import EMPTY, client_columns
from wagtail_user_sessions.client.request import Client
from wagtail_user_sessions.sessions.base import AbstractSession

from .merge import Data

# What a row has of its data.
DATA_COLUMNS = ("version", "session_data", "expire_date", "user_id", "auth_digest")
# What a row has while nobody is signed in: no facts of its visitor.
ANONYMOUS = {"signed_in_at": None, "last_activity": None, "name": "", **EMPTY}


def user_id_of(data: Data) -> Any:
    """The user that the data is signed in as, as a value of the user's key."""
    value = data.get(SESSION_KEY)
    if value is None:
        return None
    try:
        return get_user_model()._meta.pk.to_python(value)
    except ValidationError:
        return None


def is_of_user(data: Data, user_id: object) -> bool:
    """Whether the data is signed in as that user; or as nobody, for ``None``."""
    value = data.get(SESSION_KEY)
    if value is None or user_id is None:
        return bool(user_id_of(data) == user_id)
    # As it is written there; only if it isn't, it takes the user's model.
    return value == str(user_id) or bool(user_id_of(data) == user_id)


def sign_in_columns(
    row: AbstractSession | None,
    user_id: object,
    *,
    is_sign_in: bool,
    read_client: Callable[[], Client | None],
) -> dict[str, Any]:
    """The columns that change as the row goes over to the user.

    None while the user stays the same, unless this is a sign-in. Without a
    client, outside a request, no fact of one is wiped.
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
        columns |= client_columns(client)
    elif known_id not in {None, user_id}:
        # Whatever is known is of somebody else's client.
        columns |= EMPTY
    return columns


def own_columns(row: AbstractSession) -> dict[str, Any]:
    """The values of the columns that a site's own model has beyond ours."""
    return {
        field.attname: field.pre_save(row, add=False) for field in own_fields(type(row))
    }


@lru_cache(maxsize=8)
def own_fields(model: type[AbstractSession]) -> tuple[models.Field[Any, Any], ...]:
    ours = {field.name for field in AbstractSession._meta.local_fields}
    return tuple(
        field
        for field in model._meta.concrete_fields
        if field.name not in ours
        and not getattr(field, "generated", False)
        and not getattr(field.remote_field, "parent_link", False)
    )
