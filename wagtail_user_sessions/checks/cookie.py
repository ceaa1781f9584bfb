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


@register(TAG, Tags.security, deploy=True)
def check_cookie_secure(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    said = django_checks.check_session_cookie_secure(app_configs, **kwargs)
    if said or settings.SESSION_COOKIE_SECURE is True:
        return []
    return [django_checks.W012]


@register(TAG, Tags.security, deploy=True)
def check_cookie_httponly(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    said = django_checks.check_session_cookie_httponly(app_configs, **kwargs)
    if said or settings.SESSION_COOKIE_HTTPONLY is True:
        return []
    return [django_checks.W015]
