"""The site under load, on a PostgreSQL database of its own.

Environment variables select the rest: LOAD_ENGINE the engine, LOAD_CACHE and
LOAD_CACHE_LOCATION the cache that the run has started, LOAD_WORKER_CLASS the workers.
"""

import os
from typing import Any

from benchmarks.settings import *  # noqa: F403
from benchmarks.settings import DATABASES

DATABASES["default"]["NAME"] = "benchmark_user_sessions_load"
LOAD_VIEWS = "benchmarks.load.views"
if os.environ["LOAD_WORKER_CLASS"] == "uvicorn":
    LOAD_VIEWS = "benchmarks.load.views_async"
    # Each request has a thread of its own, so no other request reuses its connection.
    DATABASES["default"]["CONN_MAX_AGE"] = 0
INSTALLED_APPS = [
    "wagtail_user_sessions",
    "django.contrib.auth",
    "django.contrib.contenttypes",
]
MIDDLEWARE = [
    "wagtail_user_sessions.middleware.SessionMiddleware",
    "wagtail_user_sessions.middleware.AuthenticationMiddleware",
]
TEMPLATES = []
ROOT_URLCONF = "benchmarks.load.urls"
ALLOWED_HOSTS = ["127.0.0.1"]
SESSION_ENGINE = f"wagtail_user_sessions.backends.{os.environ['LOAD_ENGINE']}"
KINDS: dict[str, dict[str, Any]] = {
    # Without time-outs: the package has its own.
    "redis": {"BACKEND": "django.core.cache.backends.redis.RedisCache"},
    "memcached": {
        "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
        # Seconds.
        "OPTIONS": {"timeout": 1, "connect_timeout": 1},
    },
}
CACHES: dict[str, Any] = {  # type: ignore[no-redef]
    "default": {
        **KINDS[os.environ["LOAD_CACHE"]],
        "LOCATION": os.environ["LOAD_CACHE_LOCATION"],
    }
}
# Short, so that the run also sees copies that are believed for longer than this.
WAGTAIL_USER_SESSIONS_CACHE_MAX_AGE = 5
WAGTAIL_USER_SESSIONS_ACTIVITY_INTERVAL = 5
WAGTAIL_USER_SESSIONS_LOCATION = False
# The package logs a traceback each time that the cache is down.
LOGGING = {
    "version": 1,
    "loggers": {
        "wagtail_user_sessions": {"level": "CRITICAL"},
        "django.request": {"level": "ERROR"},
    },
}
