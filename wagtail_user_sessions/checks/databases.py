"""Checks of the database: sessions and users share it, and it can do what is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Tags, register
from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper

from wagtail_user_sessions.backends.engine import get_engine
from wagtail_user_sessions.conf import conf
from wagtail_user_sessions.sql.prepared import can_prepare

from .messages import TAG, error, warning

HINT = (
    "Let the database routers send both to the same one: the row of a session "
    "refers to its user, and is deleted with them."
)

# Bits of wsrep_sync_wait: SELECT waits, UPDATE and DELETE wait. Without the second, a
# revocation misses a session that another node has just saved. Source:
# https://mariadb.com/kb/en/galera-cluster-system-variables/#wsrep_sync_wait
GALERA_WAITS = 1 | 2


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


@register(TAG, Tags.database)
def check_galera(
    databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Ask the database whether it is a node of MariaDB Galera, and waits for the others.

    Django runs it with ``check --database`` and before ``migrate``.
    """
    using = router.db_for_write(get_engine().get_model_class())
    if using not in (databases or ()) or connections[using].vendor != "mysql":
        return []
    found = _galera_variables(connections[using])
    waits = int(found.get("wsrep_sync_wait", 0)) & GALERA_WAITS == GALERA_WAITS
    if found.get("wsrep_on") != "ON" or waits:
        return []
    message = (
        f"The database {using!r} is a node of Galera, and doesn't wait for what "
        "others have committed: a session may be missing on it for a moment, or "
        "still be there after its end."
    )
    hint = 'Set "init_command": "SET SESSION wsrep_sync_wait = 3" in its OPTIONS.'
    return [warning(15, message, hint=hint)]


def _galera_variables(connection: BaseDatabaseWrapper) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SHOW VARIABLES WHERE Variable_name IN ('wsrep_on', 'wsrep_sync_wait')"
        )
        return dict(cursor.fetchall())
