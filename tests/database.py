"""Empty the database after a transactional test.

Django's own teardown truncates each of the sixty tables and makes all content
types and permissions anew: half a second on PostgreSQL, for a test that wrote
to three tables. This one deletes the rows that are there.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test import TransactionTestCase

flush = TransactionTestCase._fixture_teardown


class Tables:
    """The tables of the models, and the rows that Django's flush leaves in them."""

    def __init__(self) -> None:
        self.models = model_tables()
        existing = connection.introspection.table_names()
        self.names = sorted(self.models.intersection(existing))
        self.kept = {name: rows(name) for name in self.filled()}

    def filled(self) -> list[str]:
        """Return the tables that have a row, with one query."""
        quoted = connection.ops.quote_name
        selects = (
            f"SELECT {number} AS number WHERE EXISTS (SELECT 1 FROM {quoted(name)})"
            for number, name in enumerate(self.names)
        )
        return [self.names[number] for (number,) in ask(" UNION ALL ".join(selects))]

    def can_stay(self) -> bool:
        """Return whether what Django's flush would make anew is as it made it."""
        return self.models == model_tables() and all(
            rows(name) == kept for name, kept in self.kept.items()
        )

    def empty(self) -> None:
        """Delete all rows but those that are kept."""
        written = [name for name in self.filled() if name not in self.kept]
        with connection.constraint_checks_disabled(), transaction.atomic():
            for name in written:
                ask(f"DELETE FROM {connection.ops.quote_name(name)}")
        # Django's flush empties it as well.
        ContentType.objects.clear_cache()


def model_tables() -> set[str]:
    return set(connection.introspection.django_table_names())


def rows(table: str) -> list[tuple]:
    return sorted(ask(f"SELECT * FROM {connection.ops.quote_name(table)}"))


def ask(sql: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall()) if cursor.description else []


def quick_teardown() -> Callable[[TransactionTestCase], None]:
    """Return what takes the place of ``TransactionTestCase._fixture_teardown``."""
    tables: Tables | None = None

    def tear_down(case: TransactionTestCase) -> None:
        nonlocal tables
        if tables and is_plain(case) and tables.can_stay():
            tables.empty()
        else:
            flush(case)
            tables = Tables() if is_plain(case) else None

    return tear_down


def is_plain(case: TransactionTestCase) -> bool:
    """Return whether Django would flush the default database, and nothing but that."""
    return (
        case._databases_names(include_mirrors=False) == ["default"]
        and case.available_apps is None
        and not case.serialized_rollback
    )
