"""Checks for remains of other session apps: Django's app, and tables with keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.checks import CheckMessage, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader

from .django_session import session_holders
from .messages import TAG, warning

APP = "django.contrib.sessions"
# Tables with raw keys in a column of this name: of Django, django-user-sessions,
# django-qsessions, and allauth's user sessions.
COLUMN = "session_key"
TABLES = (
    "django_session",
    "user_sessions_session",
    "qsessions_session",
    "usersessions_usersession",
)

SEARCH_HINT = (
    "No check sees an import inside a function, or in a module that is imported later, "
    f"such as a command: search your code for {APP}.models."
)
APP_HINT = (
    "Take it out of INSTALLED_APPS: nothing uses its table any more, and the "
    f"order of the apps decides whose clearsessions is run. {SEARCH_HINT}"
)
NEEDED_HINT = (
    "It is needed for as long as this is so: {reasons}. Put wagtail_user_sessions "
    "before it in INSTALLED_APPS, for the order of the apps decides whose "
    "clearsessions is run. What goes through its Session finds and ends no session. "
    + SEARCH_HINT
)
TABLE_HINT = (
    "With the key of a session that lives on, whoever reads the table is signed "
    "in. Once you need the table no more: DROP TABLE {table};"
)
OWNED_HINT = (
    "With the key of a session that lives on, whoever reads the table is signed "
    "in. Once you need its rows no more: DELETE FROM {table}; Where {app} goes on "
    "writing keys, take it out of INSTALLED_APPS, and then: DROP TABLE {table};"
)


@register(TAG)
def check_app(**kwargs: Any) -> list[CheckMessage]:
    if not apps.is_installed(APP):
        return []
    message = f"{APP} is installed beside wagtail_user_sessions."
    imports = [f"{name} uses its Session" for name in session_holders()]
    reasons = "; ".join([*imports, *_migrations()])
    hint = NEEDED_HINT.format(reasons=reasons) if reasons else APP_HINT
    return [warning(1, message, hint=hint)]


def _migrations() -> list[str]:
    """Return the migrations that depend on Django's app, from the files alone."""
    labels = (config.label for config in apps.get_app_configs() if config.name == APP)
    label = next(labels, "sessions")
    loader = MigrationLoader(None, load=False)
    try:
        loader.load_disk()
        return [
            f"the migration {name} of {apps.get_app_config(app).name} depends on it"
            for (app, name), migration in sorted(loader.disk_migrations.items())
            if app != label
            and label in {needed for needed, _ in migration.dependencies}
        ]
    except Exception:
        # The command migrate reports it.
        return []


@register(Tags.database)
def check_table(
    databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    owners = _owners()
    message = "The table {table} of the database {alias!r} still holds session keys."
    return [
        warning(2, message.format(table=table, alias=alias), hint=hint)
        for alias in databases or ()
        for table in _tables_with_keys(alias, [*dict.fromkeys([*TABLES, *owners])])
        for hint in [_table_hint(table, owners.get(table))]
    ]


def _table_hint(table: str, owner: AppConfig | None) -> str:
    if owner is None:
        return TABLE_HINT.format(table=table)
    return OWNED_HINT.format(table=table, app=owner.name)


def _owners() -> dict[str, AppConfig]:
    """Return the installed apps by the table of keys that they have.

    Besides the known tables these are the tables of models that extend Django's
    abstract one, as a site's earlier engine of its own may have left behind.
    """
    return {
        model._meta.db_table: model._meta.app_config
        for model in apps.get_models()
        if model._meta.db_table in TABLES or issubclass(model, AbstractBaseSession)
    }


def _tables_with_keys(alias: str, tables: Sequence[str]) -> list[str]:
    connection = connections[alias]
    try:
        existing = set(connection.introspection.table_names())
        return [
            table
            for table in tables
            if table in existing and _holds_keys(connection, table)
        ]
    except (Error, ImproperlyConfigured):
        # Other checks and commands report an unreachable database.
        return []


def _holds_keys(connection: BaseDatabaseWrapper, table: str) -> bool:
    with connection.cursor() as cursor:
        columns = connection.introspection.get_table_description(cursor, table)
        # A site's own table may have the name.
        if not any(column.name == COLUMN for column in columns):
            return False
        name = connection.ops.quote_name(table)
        cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {name})")  # noqa: S608
        return bool(cursor.fetchone()[0])
