"""What the admin says after sessions were signed out."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin import messages

from wagtail_user_sessions.sessions.reasons import (
    cache_failure_text,
)


def report(request: HttpRequest, ended: int, *, cache_failed: bool) -> None:
    """Say what has happened."""
    if ended:
        text = ngettext(
            "%(count)d session was signed out.",
            "%(count)d sessions were signed out.",
            ended,
        )
        messages.success(request, text % {"count": ended})
    else:
        messages.info(request, _("There is no session to sign out."))
    if cache_failed:
        messages.warning(request, cache_failure_text())
