"""Sessions signed out by somebody in the admin, who is told of it."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin import messages

from wagtail_user_sessions.sessions.base import SessionQuerySet
from wagtail_user_sessions.sessions.reasons import (
    Reason,
    RevokedCount,
    cache_failure_text,
)

BATCH_SIZE = 1000


def sign_out(
    rows: SessionQuerySet, *, by: AbstractBaseUser, reason: Reason | str
) -> RevokedCount:
    """Revoke the rows, of which there may be more than the memory holds."""
    keys = list(rows.order_by().values_list("pk", flat=True))
    ended, cache_failed = 0, False
    for first in range(0, len(keys), BATCH_SIZE):
        # With all conditions of the rows, for some may have changed hands since.
        batch = rows.order_by().filter(pk__in=keys[first : first + BATCH_SIZE])
        count = batch.revoke(by=by, reason=reason)
        ended += count
        cache_failed |= count.cache_failed
    return RevokedCount(ended, cache_failed=cache_failed)


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
