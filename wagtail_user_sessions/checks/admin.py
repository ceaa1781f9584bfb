"""Check of the apps that the views in Wagtail's admin need."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, register

from .messages import TAG, warning

HINT = 'Add "wagtail.snippets" to INSTALLED_APPS.'


@register(TAG)
def check_snippets(**kwargs: Any) -> list[CheckMessage]:
    if not apps.is_installed("wagtail.admin") or apps.is_installed("wagtail.snippets"):
        return []
    message = "Wagtail's admin shows no sessions, as wagtail.snippets isn't installed."
    return [warning(11, message, hint=HINT)]
