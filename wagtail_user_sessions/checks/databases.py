"""Check of the database routers: sessions and users share a database."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, register
from django.db import router

from wagtail_user_sessions.backends.engine import get_engine

from .messages import TAG, error

HINT = (
    "Let the database routers send both to the same one: the row of a session "
    "refers to its user, and is deleted with them."
)


@register(TAG)
def check_databases(**kwargs: Any) -> list[CheckMessage]:
    sessions = router.db_for_write(get_engine().get_model_class())
    users = router.db_for_write(get_user_model())
    if sessions == users:
        return []
    message = f"Sessions are in the database {sessions!r}, and users in {users!r}."
    return [error(6, message, hint=HINT)]
