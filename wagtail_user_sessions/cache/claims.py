"""What only one request of this process does within an activity interval."""

from __future__ import annotations

from django.core.cache.backends.locmem import LocMemCache

from wagtail_user_sessions.conf import conf

_claims = LocMemCache(__name__, {"OPTIONS": {"MAX_ENTRIES": 10_000}})


def claim(name: str) -> bool:
    """Return whether no request of this process has claimed the name in an interval."""
    return _claims.add(name, 1, timeout=conf.ACTIVITY_INTERVAL)
