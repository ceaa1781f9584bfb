"""Checks of the session cookie, for ``check --deploy``.

Django makes them only where its own app or its own middleware is installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Tags, register
from django.core.checks.security import sessions as django_checks

from .messages import TAG

CHECKS = (
    (
        "SESSION_COOKIE_SECURE",
        django_checks.check_session_cookie_secure,
        django_checks.W012,
    ),
    (
        "SESSION_COOKIE_HTTPONLY",
        django_checks.check_session_cookie_httponly,
        django_checks.W015,
    ),
)


@register(TAG, Tags.security, deploy=True)
def check_cookie(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Warn where Django's own checks say nothing, in their words."""
    return [
        message
        for name, check, message in CHECKS
        if getattr(settings, name) is not True and not check(app_configs, **kwargs)
    ]
