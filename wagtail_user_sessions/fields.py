from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    # Generic in django-stubs, but not at run time.
    BinaryField = models.BinaryField[Any, Any]
else:
    BinaryField = models.BinaryField


class DigestField(BinaryField):
    """A digest of a fixed length (``max_length``, in bytes), read as ``bytes``.

    The column is bytea on PostgreSQL, where a text column would get a second index
    for LIKE look-ups; binary(n) on MariaDB, which can't index a blob; and BLOB on
    SQLite.
    """

    description = "Digest of %(max_length)s bytes"

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        if connection.vendor == "mysql":
            return f"binary({self.max_length})"
        return super().db_type(connection)

    def from_db_value(self, value: Any, *_: object) -> bytes | None:
        # psycopg returns a memoryview, which has no hash or equality.
        return None if value is None else bytes(value)

    def to_python(self, value: Any) -> bytes | None:
        # Django decodes the text of a fixture to a memoryview.
        digest = super().to_python(value)
        return None if digest is None else bytes(digest)
