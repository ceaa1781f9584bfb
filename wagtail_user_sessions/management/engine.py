from __future__ import annotations

from contextlib import suppress

from django.conf import settings
from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from wagtail_user_sessions.backends import engine
from wagtail_user_sessions.backends.db import SessionStore


def engine_in_use() -> type[SessionStore]:
    """The engine of the settings. A ``CommandError`` where it isn't ours."""
    with suppress(AttributeError):
        store = engine.engine_in_use()
        if store is not None:
            return store
    raise CommandError(
        _("SESSION_ENGINE is %(engine)s, which has no rows of this package.")
        % {"engine": settings.SESSION_ENGINE}
    )
