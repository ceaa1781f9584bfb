"""Messages of the admin after sessions were signed out."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin import messages

from wagtail_user_sessions.sessions.reasons import cache_failure_text


def report(request: HttpRequest, count: int, *, cache_failed: bool = False) -> None:
    """Add a message with the number of sessions, and a warning if the cache failed."""
    if count:
        text = ngettext(
            "%(count)d session was signed out.",
            "%(count)d sessions were signed out.",
            count,
        )
        messages.success(request, text % {"count": count})
    else:
        messages.info(request, _("There is no session to sign out."))
    if cache_failed:
        messages.warning(request, cache_failure_text())
