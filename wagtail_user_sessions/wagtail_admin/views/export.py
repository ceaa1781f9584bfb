"""Export of the listing: it has neither the key nor the data of a session."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _
from openpyxl import Workbook
from wagtail.admin.views.mixins import ExcelDateFormatter, SpreadsheetExportMixin

from wagtail_user_sessions.sessions.base import AbstractSession, SessionQuerySet
from wagtail_user_sessions.wagtail_admin.formulas import defuse, storable
from wagtail_user_sessions.wagtail_admin.status import status_of
from wagtail_user_sessions.wagtail_admin.time_zone import local, zone_name

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
TIMES = frozenset({"created_at", "signed_in_at", "last_activity", "expire_date"})


class Export(SpreadsheetExportMixin):
    """Exports times in the viewer's zone, which the headings name, and no formulas."""

    list_export = tuple(EXPORTED)
    export_headings = EXPORTED
    export_filename = "sessions"

    def get_queryset(self) -> SessionQuerySet:
        rows: SessionQuerySet = super().get_queryset()
        if self.is_export:
            return rows.select_related("user").defer("session_data")
        return rows

    def stream_csv(self, queryset: SessionQuerySet) -> Iterator[str]:
        return _in_current_locale(super().stream_csv(_Streamed(queryset)))

    def write_xlsx(self, queryset: SessionQuerySet, output: Any) -> None:
        """Do as Wagtail's method, but for the headings, which it writes as formulas."""
        workbook = Workbook(write_only=True, iso_dates=True)
        sheet = workbook.create_sheet(title="Sheet1")
        headings = {name: self._heading(queryset, name) for name in self.list_export}
        sheet.append(self.generate_xlsx_row(sheet, headings))
        style = ExcelDateFormatter().get()
        for item in _Streamed(queryset):
            row = self.to_row_dict(item)
            sheet.append(self.generate_xlsx_row(sheet, row, date_format=style))
        workbook.save(output)

    def get_heading(self, queryset: SessionQuerySet, field: str) -> str:
        """Return the heading in a CSV file."""
        return defuse(self._heading(queryset, field))

    def _heading(self, queryset: SessionQuerySet, field: str) -> str:
        heading: str = super().get_heading(queryset, field)
        return f"{heading} ({zone_name()})" if field in TIMES else heading

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
        is_xlsx = export_format == self.FORMAT_XLSX
        if isinstance(value, datetime):
            # A workbook has no zones: the heading names it.
            return local(value).replace(tzinfo=None) if is_xlsx else local(value)
        value = super().preprocess_field_value(field, value, export_format)
        if not isinstance(value, str):
            return value
        # A workbook stores a formula as text, so that needs no apostrophe.
        return storable(value) if is_xlsx else defuse(value)


class _Streamed:
    """Rows of an export, read in chunks: they may not fit into memory."""

    def __init__(self, rows: SessionQuerySet) -> None:
        self.rows = rows
        self.model = rows.model

    def __iter__(self) -> Iterator[AbstractSession]:
        return self.rows.iterator(chunk_size=2000)


def _in_current_locale(lines: Iterator[str]) -> Iterator[str]:
    """Make the lines in the language and time zone that are active now.

    A stream is made after the view has returned, when Wagtail has already put those
    of the site in place of the viewer's.
    """
    language, zone = get_language(), timezone.get_current_timezone()

    def stream() -> Iterator[str]:
        while True:
            with timezone.override(zone), override(language):
                line = next(lines, None)
            if line is None:
                return
            yield line

    return stream()
