"""How long ago something was, in a person's words."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext_lazy

# Not timesince(), whose "3 days" most languages can't put behind "ago".
UNITS: tuple[tuple[timedelta, Promise], ...] = (
    (
        timedelta(days=365),
        ngettext_lazy("%(count)d year ago", "%(count)d years ago", "count"),
    ),
    (
        timedelta(days=30),
        ngettext_lazy("%(count)d month ago", "%(count)d months ago", "count"),
    ),
    (
        timedelta(weeks=1),
        ngettext_lazy("%(count)d week ago", "%(count)d weeks ago", "count"),
    ),
    (
        timedelta(days=1),
        ngettext_lazy("%(count)d day ago", "%(count)d days ago", "count"),
    ),
    (
        timedelta(hours=1),
        ngettext_lazy("%(count)d hour ago", "%(count)d hours ago", "count"),
    ),
    (
        timedelta(minutes=1),
        ngettext_lazy("%(count)d minute ago", "%(count)d minutes ago", "count"),
    ),
)


def ago(moment: datetime, *, now: datetime) -> str:
    """The time from a moment until now, in its largest unit: "3 hours ago".

    "just now" for less than a minute, and for a moment that is still to come.
    """
    elapsed = now - moment
    for unit, phrase in UNITS:
        if elapsed >= unit:
            return str(phrase % {"count": elapsed // unit})
    return gettext("just now")
