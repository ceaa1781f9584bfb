"""Checks of the package's settings: their names, and the types of their values."""

from __future__ import annotations

import difflib
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from wagtail_user_sessions.conf import PREFIX, Conf, Setting, conf

from .messages import TAG, error, warning


@register(TAG)
def check_names(**kwargs: Any) -> list[CheckMessage]:
    known = Conf.declared()
    return [
        warning(5, f"There is no setting {name}.", hint=_nearest(name))
        for name in sorted(dir(settings))
        if name.startswith(PREFIX) and name not in known
    ]


def _nearest(name: str) -> str:
    # Without the prefix: all names have it, so each would be close to each other.
    known = [known.removeprefix(PREFIX) for known in Conf.declared()]
    nearest = difflib.get_close_matches(name.removeprefix(PREFIX), known, n=1)
    return f"Did you mean {PREFIX}{nearest[0]}?" if nearest else "Take it out."


@register(TAG)
def check_values(**kwargs: Any) -> list[CheckMessage]:
    return [
        _wrong_value(setting)
        for setting in Conf.declared().values()
        if not is_valid(setting)
    ]


def _wrong_value(setting: Setting[Any]) -> Error:
    message = f"{setting.name} has a value of the wrong kind."
    return error(10, message, hint=f"Set it to {setting.expected}.")


def is_valid(setting: Setting[Any]) -> bool:
    return setting.is_valid(setting.__get__(conf, Conf))
