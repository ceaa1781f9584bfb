"""The same table, read as the admin lists of other packages do it.

They count all rows, skip those of the pages before, and look for a text in joined
columns. Only the queries are measured, without a page.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from django.db.models import Q

from wagtail_user_sessions.models import Session, SessionQuerySet

from . import data
from .measuring import Measured, measure

PER_PAGE = 20


def measurements(*, runs: int) -> Iterator[tuple[str, Measured]]:
    rows = Session.objects.select_related("user").order_by("-expire_date", "-pk")
    yield "first page", measure(partial(_page, rows, is_last=False), runs=runs)
    yield "last page", measure(partial(_page, rows, is_last=True), runs=runs)
    for name, text in (
        ("part of many names", data.COMMON_NAME),
        ("part of one name", data.RARE_NAME),
        ("nobody's name", "nobodyhasthisname"),
    ):
        found = rows.filter(
            Q(user__username__icontains=text)
            | Q(user__email__icontains=text)
            | Q(ip__icontains=text)
        )
        yield (
            f"search: {name}",
            measure(partial(_page, found, is_last=False), runs=runs),
        )


def _page(rows: SessionQuerySet, *, is_last: bool) -> list[object]:
    count = rows.count()
    start = max(0, count - 1) // PER_PAGE * PER_PAGE if is_last else 0
    return list(rows[start : start + PER_PAGE])
