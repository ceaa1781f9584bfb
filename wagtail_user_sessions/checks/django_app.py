"""Checks for remains of Django's own session app: the app, and keys in its table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connections

from .messages import TAG, warning

TABLE = "django_session"

APP_HINT = (
    "Take it out of INSTALLED_APPS: nothing uses its table any more, and the "
    "order of the apps decides whose clearsessions is run."
)
TABLE_HINT = (
    "With the key of a session that lives on, whoever reads the table is signed "
    f"in. Once you need the table no more: DROP TABLE {TABLE};"
)


@register(TAG)
def check_app(**kwargs: Any) -> list[CheckMessage]:
    if not apps.is_installed("django.contrib.sessions"):
        return []
    message = "django.contrib.sessions is installed beside wagtail_user_sessions."
    return [warning(1, message, hint=APP_HINT)]


@register(Tags.database)
def check_table(
    databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    message = "The table {table} of the database {alias!r} still holds session keys."
    return [
        warning(2, message.format(table=TABLE, alias=alias), hint=TABLE_HINT)
        for alias in databases or ()
        if _holds_keys(alias)
    ]


def _holds_keys(alias: str) -> bool:
    connection = connections[alias]
    table = connection.ops.quote_name(TABLE)
    try:
        if TABLE not in connection.introspection.table_names():
            return False
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {table})")  # noqa: S608
            return bool(cursor.fetchone()[0])
    except (Error, ImproperlyConfigured):
        # Other checks and commands report an unreachable database.
        return False
