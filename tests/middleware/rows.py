"""The one row of a test, and its last activity."""

from datetime import timedelta

from django.core.cache import cache
from django.utils import timezone

from wagtail_user_sessions.cache import claims
from wagtail_user_sessions.models import Session

INTERVAL = timedelta(seconds=61)


def row():
    return Session.objects.get()


def values(session, names):
    return [getattr(session, name) for name in names]


def pass_an_interval():
    """Change rows and cache as if no session had been used for an interval."""
    Session.objects.update(last_activity=timezone.now() - INTERVAL)
    cache.clear()
    claims._claims.clear()
