"""System checks of a project; ``docs/checks.md`` lists them by id."""

from . import (
    accessor,
    admin,
    cache,
    cache_table,
    client,
    cookie,
    databases,
    devices_page,
    django_app,
    django_session,
    engine,
    location,
    middleware,
    settings,
    templates,
    urls,
)

__all__ = [
    "accessor",
    "admin",
    "cache",
    "cache_table",
    "client",
    "cookie",
    "databases",
    "devices_page",
    "django_app",
    "django_session",
    "engine",
    "location",
    "middleware",
    "settings",
    "templates",
    "urls",
]
