from __future__ import annotations

from importlib import import_module

from django.conf import settings
from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from wagtail_user_sessions.backends.db import SessionStore


def engine_in_use() -> type[SessionStore]:
    """The engine of the settings. A ``CommandError`` where it isn't ours."""
    engine = getattr(import_module(settings.SESSION_ENGINE), "SessionStore", None)
    if isinstance(engine, type) and issubclass(engine, SessionStore):
        return engine
    raise CommandError(
        _("SESSION_ENGINE is %(engine)s, which has no rows of this package.")
        % {"engine": settings.SESSION_ENGINE}
    )
