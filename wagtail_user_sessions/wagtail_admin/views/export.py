"""Export of the listing: it has neither the key nor the data of a session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from wagtail.admin.views.mixins import SpreadsheetExportMixin

from wagtail_user_sessions.sessions.base import AbstractSession, SessionQuerySet
from wagtail_user_sessions.wagtail_admin.status import status_of

EXPORTED = {
    "id": _("Session"),
    "user_name": _("User"),
    "status": _("Status"),
    "name": _("Name"),
    "device_label": _("Device"),
    "device_kind": _("Kind of device"),
    "browser": _("Browser"),
    "os": _("System"),
    "city": _("City"),
    "country": _("Country"),
    "ip": _("IP address"),
    "created_at": _("Created"),
    "signed_in_at": _("Signed in"),
    "last_activity": _("Last activity"),
    "expire_date": _("Expires"),
}
# A spreadsheet takes text that begins like this for a formula.
FORMULA_PREFIXES = ("=", "+", "-", "@")


class Export(SpreadsheetExportMixin):
    list_export = tuple(EXPORTED)
    export_headings = EXPORTED
    export_filename = "sessions"

    def get_queryset(self) -> SessionQuerySet:
        rows: SessionQuerySet = super().get_queryset()
        if self.is_export:
            return rows.select_related("user").defer("session_data")
        return rows

    def stream_csv(self, queryset: SessionQuerySet) -> Iterator[str]:
        rows: Iterator[str] = super().stream_csv(_Streamed(queryset))
        return rows

    def write_xlsx(self, queryset: SessionQuerySet, output: Any) -> None:
        super().write_xlsx(_Streamed(queryset), output)

    def to_row_dict(self, item: AbstractSession) -> dict[str, Any]:
        row = {name: getattr(item, name, None) for name in EXPORTED}
        user = item.user
        return row | {
            "id": str(item.pk),
            "user_name": "" if user is None else user.get_username(),
            "status": status_of(item).label,
            "device_kind": item.get_device_kind_display(),
        }

    def preprocess_field_value(self, field: str, value: Any, export_format: str) -> Any:
        value = super().preprocess_field_value(field, value, export_format)
        if not isinstance(value, str):
            return value
        if export_format == self.FORMAT_XLSX:
            # A workbook can't hold these characters. It stores a formula as text, so
            # that needs no quote.
            return ILLEGAL_CHARACTERS_RE.sub("", value)
        return f"'{value}" if value.lstrip().startswith(FORMULA_PREFIXES) else value


class _Streamed:
    """Rows of an export, read in chunks: they may not fit into memory."""

    def __init__(self, rows: SessionQuerySet) -> None:
        self.rows = rows
        self.model = rows.model

    def __iter__(self) -> Iterator[AbstractSession]:
        return self.rows.iterator(chunk_size=2000)
