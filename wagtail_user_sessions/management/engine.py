from __future__ import annotations

from django.conf import settings
from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from wagtail_user_sessions.backends.db import SessionStore
from wagtail_user_sessions.backends.engine import ForeignEngineError, get_engine


def require_engine() -> type[SessionStore]:
    """Return the engine of the settings; raise ``CommandError`` if it isn't ours."""
    try:
        return get_engine(strict=True)
    except (AttributeError, ForeignEngineError) as error:
        message = _("SESSION_ENGINE is %(engine)s, which has no rows of this package.")
        raise CommandError(message % {"engine": settings.SESSION_ENGINE}) from error
