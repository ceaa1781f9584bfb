"""Dates and labels of a device list, in the visitor's language and time zone."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from string import ascii_letters
from typing import TypedDict

from django.conf import settings
from django.utils import dateformat
from django.utils.formats import get_format
from django.utils.functional import Promise, cached_property
from django.utils.html import escape, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import get_current_timezone, is_naive
from django.utils.translation import get_language, gettext, ngettext_lazy, override
from django.utils.translation import gettext as _

# Format characters whose output needs more than the day, and more than the hour
# and minute. A format without them gives one text per day, or per minute.
# https://docs.djangoproject.com/en/stable/ref/templates/builtins/#date
NOT_OF_DAY = frozenset("aAcefgGhHiIOPrsTuUZ")
NOT_OF_MINUTE = frozenset(ascii_letters) - frozenset("aAfgGhHiP")

# Number of days and minutes whose text is cached: some months, and all minutes of
# a day, in a few languages.
MAX_CACHED = 4096


class FormattedTime(TypedDict):
    """A date and time as a page shows it."""

    # For machines, such as the attribute of <time>.
    iso: str
    # In the formats DATE_FORMAT and TIME_FORMAT of the language.
    date: str
    time: str
    # Date and time.
    text: str


class DateFormatter:
    """Formats dates in the language and time zone that are active when it is made.

    It looks the formats up once, not for each date of a page.
    """

    def __init__(self) -> None:
        self.language = get_language()
        self.zone = get_current_timezone() if settings.USE_TZ else None
        self.date_format = str(get_format("DATE_FORMAT", self.language))
        self.time_format = str(get_format("TIME_FORMAT", self.language))
        self.is_cached_by_day = NOT_OF_DAY.isdisjoint(self.date_format)
        self.is_cached_by_minute = NOT_OF_MINUTE.isdisjoint(self.time_format)

    def format(self, value: datetime) -> FormattedTime:
        is_local = self.zone is None or is_naive(value)
        local = value if is_local else value.astimezone(self.zone)
        date, time = self._date(local), self._time(local)
        return {
            # Safe: digits and signs only.
            "iso": SafeString(local.isoformat()),
            "date": date,
            "time": time,
            "text": SafeString(f"{date} {time}"),
        }

    def _date(self, local: datetime) -> str:
        if self.is_cached_by_day:
            return _cached_text(local.date(), self.date_format, self.language)
        return _text(local, self.date_format, self.language)

    def _time(self, local: datetime) -> str:
        if self.is_cached_by_minute:
            minute = time(local.hour, local.minute)
            return _cached_text(minute, self.time_format, self.language)
        return _text(local, self.time_format, self.language)


def _text(value: date | time, style: str, language: str | None) -> str:
    # The active language may have changed since the formatter was made.
    with override(language):
        if isinstance(value, time):
            return escape(dateformat.time_format(value, style))
        return escape(dateformat.format(value, style))


# Called with days and minutes only: a datetime as the key would equal the same
# instant in another time zone, and give its text.
_cached_text = lru_cache(maxsize=MAX_CACHED)(_text)

# Django's timesince() doesn't do: in most languages its "3 days" can't be combined
# with "ago".
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


def time_ago(value: datetime, *, now: datetime) -> str:
    """Return the time since ``value`` in its largest unit: "3 hours ago".

    It is "just now" for less than a minute, and for a value in the future.
    """
    elapsed = now - value
    for unit, phrase in UNITS:
        if elapsed >= unit:
            return str(phrase % {"count": elapsed // unit})
    return gettext("just now")


class Labels:
    """Texts that the devices of a list share, each translated once for all.

    Language and time zone are those active at the first use, in the template.
    """

    @cached_property
    def date_formatter(self) -> DateFormatter:
        return DateFormatter()

    @cached_property
    def words(self) -> dict[str, str]:
        """The translations by their names in templates.

        They are marked safe: ``{% translate %}`` trusts translators, too.
        """
        words = {
            "place": _("Place"),
            "ip_address": _("IP address"),
            "last_activity": _("Last activity"),
            "active_now": _("Active now"),
            "signed_in": _("Signed in"),
            "expires": _("Expires"),
            "with_browser": _("When the browser closes"),
            "rename": _("Rename"),
            "sign_out": _("Sign out"),
        }
        return {name: SafeString(word) for name, word in words.items()}

    def rename_text(self, device: SafeString) -> SafeString:
        return _filled(self._rename, "Rename %(device)s", device)

    def sign_out_text(self, device: SafeString) -> SafeString:
        return _filled(self._sign_out, "Sign out %(device)s", device)

    @cached_property
    def _rename(self) -> str:
        return _("Rename %(device)s")

    @cached_property
    def _sign_out(self) -> str:
        return _("Sign out %(device)s")


def _filled(text: str, msgid: str, device: SafeString) -> SafeString:
    """Return the text with the device, which is escaped by the caller.

    It is the msgid if its translation is broken.
    """
    values = {"device": device}
    try:
        return SafeString(text % values)
    except (KeyError, TypeError, ValueError):
        return SafeString(msgid % values)


def break_between_groups(ip: str) -> SafeString:
    """Return the IP address with ``<wbr>``: lines break between its groups only."""
    if ":" not in ip:
        return escape(ip)
    groups = re.findall(r"[^:]*:+|[^:]+", ip)
    return format_html_join(mark_safe("<wbr>"), "{}", ((group,) for group in groups))
