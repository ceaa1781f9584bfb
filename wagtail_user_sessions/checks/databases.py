"""Checks of the database: sessions and users share it, and it can do what is asked."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, register
from django.db import connections, router

from wagtail_user_sessions.backends.engine import get_engine
from wagtail_user_sessions.conf import conf
from wagtail_user_sessions.sql.prepared import can_prepare

from .messages import TAG, error, warning

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


@register(TAG)
def check_prepared_statements(**kwargs: Any) -> list[CheckMessage]:
    using = router.db_for_write(get_engine().get_model_class())
    if not conf.PREPARED_STATEMENTS or can_prepare(connections[using]):
        return []
    message = f"The statements for the database {using!r} can't be prepared."
    hint = (
        "Use PostgreSQL with psycopg 3 and without server_side_binding in OPTIONS, or "
        "take out WAGTAIL_USER_SESSIONS_PREPARED_STATEMENTS."
    )
    return [warning(14, message, hint=hint)]
