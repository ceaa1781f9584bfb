"""The site under load, on a PostgreSQL database of its own.

LOAD_ENGINE names the engine; LOAD_CACHE the kind of cache that the run has started,
and LOAD_CACHE_LOCATION where it is; LOAD_WORKER_CLASS who serves it.
"""

import os
from typing import Any

from benchmarks.settings import *  # noqa: F403
from benchmarks.settings import DATABASES

DATABASES["default"]["NAME"] = "benchmark_user_sessions_load"
LOAD_VIEWS = "benchmarks.load.views"
if os.environ["LOAD_WORKER_CLASS"] == "uvicorn":
    LOAD_VIEWS = "benchmarks.load.views_async"
    # Each request has a thread of its own, with a connection that nobody else takes.
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
# Each with its time-outs, in seconds.
KINDS: dict[str, dict[str, Any]] = {
    "redis": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    },
    "memcached": {
        "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
        "OPTIONS": {"timeout": 1, "connect_timeout": 1},
    },
}
CACHES: dict[str, Any] = {  # type: ignore[no-redef]
    "default": {
        **KINDS[os.environ["LOAD_CACHE"]],
        "LOCATION": os.environ["LOAD_CACHE_LOCATION"],
    }
}
# Short, so that what lasts longer after a failed cache is seen within the run.
WAGTAIL_USER_SESSIONS_CACHE_MAX_AGE = 5
WAGTAIL_USER_SESSIONS_ACTIVITY_INTERVAL = 5
WAGTAIL_USER_SESSIONS_LOCATION = False
# The cache is down now and then, which the package says with a traceback each time.
LOGGING = {
    "version": 1,
    "loggers": {
        "wagtail_user_sessions": {"level": "CRITICAL"},
        "django.request": {"level": "ERROR"},
    },
}
