"""Messages of the checks. An id keeps its meaning once it is released."""

from __future__ import annotations

from django.core.checks import Error, Warning

TAG = "wagtail_user_sessions"


def error(number: int, message: str, *, hint: str) -> Error:
    return Error(message, hint=hint, id=f"{TAG}.E{number:03}")


def warning(number: int, message: str, *, hint: str) -> Warning:
    return Warning(message, hint=hint, id=f"{TAG}.W{number:03}")
