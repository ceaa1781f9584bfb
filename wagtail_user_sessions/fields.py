from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.deletion import Collector, get_candidate_relations_to_delete

if TYPE_CHECKING:
    # Generic in django-stubs, but not at run time.
    BinaryField = models.BinaryField[Any, Any]
    ForeignKey = models.ForeignKey[Any, Any]
else:
    BinaryField = models.BinaryField
    ForeignKey = models.ForeignKey


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


class OwnerField(ForeignKey):
    """A foreign key to a user, with whom the rows are deleted.

    Unlike those of other foreign keys, Django's admin neither lists the rows on the
    page that deletes a user, nor asks for a permission to delete them. For migrations
    it is Django's own field with ``CASCADE``.
    """

    def __init__(self, to: Any, on_delete: Any = models.CASCADE, **kwargs: Any) -> None:
        if on_delete is models.CASCADE:
            on_delete = cascade_unlisted
        super().__init__(to, on_delete, **kwargs)

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        if kwargs["on_delete"] is cascade_unlisted:
            kwargs["on_delete"] = models.CASCADE
        return name, "django.db.models.ForeignKey", args, kwargs


def cascade_unlisted(
    collector: Collector, field: Any, rows: models.QuerySet[Any], using: str
) -> None:
    """Delete the rows as ``CASCADE`` does, but keep them off a list of the admin.

    What depends on the rows is listed in their place.
    """
    # Not imported before somebody deletes a user: the admin may not be installed.
    from django.contrib.admin.utils import NestedObjects

    is_list = isinstance(collector, NestedObjects)
    if is_list and not any(get_candidate_relations_to_delete(field.model._meta)):
        return
    if rows:
        models.CASCADE(collector, field, rows, using)
        if is_list:
            _unlist(collector, field, rows)


# Django would read the rows before the call.
cascade_unlisted.lazy_sub_objs = True  # type: ignore[attr-defined]


def _unlist(collector: Any, field: Any, rows: Iterable[models.Model]) -> None:
    edges = collector.edges
    for owner in {getattr(row, field.name) for row in rows}:
        listed: list[models.Model] = []
        for child in edges[owner]:
            is_row = isinstance(child, field.model)
            listed += edges.get(child, ()) if is_row else [child]
        edges[owner] = listed
    collector.model_objs.pop(field.model, None)
