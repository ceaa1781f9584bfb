"""The table of sessions: its columns and indexes."""

import pytest
from django.db import connection

from wagtail_user_sessions.models import Session

pytestmark = pytest.mark.django_db(transaction=True)


def test_postgresql_table_leaves_room_for_activity_writes():
    if connection.vendor != "postgresql":
        pytest.skip("a setting of PostgreSQL's tables")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reloptions FROM pg_class WHERE relname = %s",
            [Session._meta.db_table],
        )
        assert cursor.fetchone()[0] == ["fillfactor=90"]


def test_columns_of_a_fixed_size_come_first_and_leave_no_gaps():
    if connection.vendor != "postgresql":
        pytest.skip("of other databases rows have no gaps")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attlen FROM pg_attribute WHERE attrelid = %s::regclass"
            " AND attnum > 0 ORDER BY attnum",
            [Session._meta.db_table],
        )
        sizes = [size for (size,) in cursor.fetchall()]
    fixed = [size for size in sizes if size > 0]
    assert sizes[: len(fixed)] == fixed == sorted(fixed, reverse=True)
    assert fixed[:6] == [16, 8, 8, 8, 8, 8]


def test_the_key_hash_has_one_index_and_activity_columns_have_none():
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(
            cursor, Session._meta.db_table
        ).values()
    indexed = [tuple(found["columns"]) for found in constraints if found["index"]]
    unique = [tuple(found["columns"]) for found in constraints if found["unique"]]
    assert unique.count(("key_hash",)) == 1
    assert {column for columns in indexed for column in columns} <= {
        "id",
        "key_hash",
        "expire_date",
        "user_id",
        "signed_in_at",
    }
