"""How a list writes moments: in the visitor's language and time zone."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from string import ascii_letters
from typing import TypedDict

from django.conf import settings
from django.utils import dateformat
from django.utils.formats import get_format
from django.utils.functional import Promise, cached_property
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.timezone import get_current_timezone, is_naive
from django.utils.translation import get_language, gettext, ngettext_lazy, override
from django.utils.translation import gettext as _

# Letters of a style by which it tells more than the day, or other than the minute.
# https://docs.djangoproject.com/en/stable/ref/templates/builtins/#date
BEYOND_THE_DAY = frozenset("aAcefgGhHiIOPrsTuUZ")
BEYOND_THE_MINUTE = frozenset(ascii_letters) - frozenset("aAfgGhHiP")

# Days and minutes whose text is kept: some months, and a whole day, in a few languages.
KEPT = 4096


class Moment(TypedDict):
    """A moment as a page writes it."""

    # For machines, such as the attribute of <time>.
    iso: str
    # In the styles DATE_FORMAT and TIME_FORMAT of the language.
    date: str
    time: str
    # Both.
    text: str


class DateFormatter:
    """In the language and the time zone of when it is made.

    What they say is asked for once, not for each moment of a page.
    """

    def __init__(self) -> None:
        self.language = get_language()
        self.zone = get_current_timezone() if settings.USE_TZ else None
        self.date_style = str(get_format("DATE_FORMAT", self.language))
        self.time_style = str(get_format("TIME_FORMAT", self.language))
        self.has_days = BEYOND_THE_DAY.isdisjoint(self.date_style)
        self.has_minutes = BEYOND_THE_MINUTE.isdisjoint(self.time_style)

    def write(self, moment: datetime) -> Moment:
        is_local = self.zone is None or is_naive(moment)
        local = moment if is_local else moment.astimezone(self.zone)
        date, time = self._date(local), self._time(local)
        return {
            # Digits and signs alone.
            "iso": SafeString(local.isoformat()),
            "date": date,
            "time": time,
            "text": SafeString(f"{date} {time}"),
        }

    def _date(self, local: datetime) -> str:
        if self.has_days:
            return _kept_text(local.date(), self.date_style, self.language)
        return _text(local, self.date_style, self.language)

    def _time(self, local: datetime) -> str:
        if self.has_minutes:
            minute = time(local.hour, local.minute)
            return _kept_text(minute, self.time_style, self.language)
        return _text(local, self.time_style, self.language)


def _text(moment: date | time, style: str, language: str | None) -> str:
    # The language may be another one by now.
    with override(language):
        if isinstance(moment, time):
            return escape(dateformat.time_format(moment, style))
        return escape(dateformat.format(moment, style))


# Of days and minutes alone: a datetime equals the same one in another time zone.
_kept_text = lru_cache(maxsize=KEPT)(_text)

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


def time_ago(moment: datetime, *, now: datetime) -> str:
    """The time from a moment until now, in its largest unit: "3 hours ago".

    "just now" for less than a minute, and for a moment that is still to come.
    """
    elapsed = now - moment
    for unit, phrase in UNITS:
        if elapsed >= unit:
            return str(phrase % {"count": elapsed // unit})
    return gettext("just now")


class Labels:
    """In the language and the time zone of the page, which first asks for it."""

    @cached_property
    def calendar(self) -> DateFormatter:
        return DateFormatter()

    @cached_property
    def words(self) -> dict[str, str]:
        """By their names in templates; translators are trusted, as
        ``{% translate %}`` does.
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

    def rename_text(self, device: str) -> str:
        return _filled(self._rename, "Rename %(device)s", device)

    def sign_out_text(self, device: str) -> str:
        return _filled(self._sign_out, "Sign out %(device)s", device)

    @cached_property
    def _rename(self) -> str:
        return _("Rename %(device)s")

    @cached_property
    def _sign_out(self) -> str:
        return _("Sign out %(device)s")


def _filled(text: str, original: str, device: str) -> str:
    """The text about the device; the original where a translation can't be filled."""
    values = {"device": escape(device)}
    try:
        return SafeString(text % values)
    except (KeyError, TypeError, ValueError):
        return SafeString(original % values)
