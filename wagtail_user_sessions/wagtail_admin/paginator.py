"""Pages of a listing that may have millions of rows."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin.paginator import WagtailPaginator

from wagtail_user_sessions.sessions.base import AbstractSession

# Rows after the first so many are neither counted nor on any page.
MAX_ROWS = 5_000


def capped(count: int) -> str:
    """Return the count as text: "5,000+" if it is above ``MAX_ROWS``."""
    text = number_format(min(count, MAX_ROWS), force_grouping=True)
    return _("%(count)s+") % {"count": text} if count > MAX_ROWS else text


class CappedPaginator(WagtailPaginator):
    """Counts and pages the first rows of a query set by one query.

    A condition on a column without an index scans the table; so the scan happens
    once. The same query reads the columns of the charts.
    """

    chart_columns = ("device_kind", "country", "last_activity")

    @cached_property
    def first_rows(self) -> list[tuple[Any, ...]]:
        """Primary keys and chart columns, of at most one row more than ``MAX_ROWS``."""
        return list(
            self.object_list.values_list("pk", *self.chart_columns)[: MAX_ROWS + 1]
        )

    @cached_property
    def count(self) -> int:
        return min(len(self.first_rows), MAX_ROWS)

    @property
    def is_capped(self) -> bool:
        return len(self.first_rows) > MAX_ROWS

    @property
    def count_text(self) -> str:
        return capped(len(self.first_rows))

    @property
    def items_count_label(self) -> str:
        text = ngettext("%(total)s user session", "%(total)s user sessions", self.count)
        return text % {"total": self.count_text}

    def page(self, number: int | str) -> Page[AbstractSession]:
        number = int(self.validate_number(number))
        first = (number - 1) * self.per_page
        keys = [
            row[0] for row in self.first_rows[:MAX_ROWS][first : first + self.per_page]
        ]
        rows = self.object_list.model.rows(self.object_list.db)
        found = (
            rows.filter(pk__in=keys)
            .select_related(*RELATED)
            .defer("session_data")
            .in_bulk()
        )
        page: Page[AbstractSession] = self._get_page(
            [found[key] for key in keys if key in found], number, self
        )
        return page


# The profile has the avatar.
RELATED = ("user", "user__wagtail_userprofile")
