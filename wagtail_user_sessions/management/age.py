from __future__ import annotations

import re
from datetime import datetime, timedelta

from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
AGE = re.compile(r"([1-9][0-9]*)([mhdw])")


def time_before(age: str) -> datetime:
    """Return the time that many minutes, hours, days or weeks ago, such as "30d".

    Raise ``CommandError`` if the text is no such age.
    """
    match = AGE.fullmatch(age)
    if match is None:
        message = _("%(age)r is no age: write a number and m, h, d or w, such as 30d.")
        raise CommandError(message % {"age": age})
    number, unit = match.groups()
    try:
        return timezone.now() - timedelta(**{UNITS[unit]: int(number)})
    except (OverflowError, ValueError) as error:
        message = _("No session can be as old as %(age)s.")
        raise CommandError(message % {"age": age}) from error
