"""The site under load, on a PostgreSQL database of its own.

LOAD_ENGINE names the engine, LOAD_REDIS_URL the cache that the run has started.
"""

import os
from typing import Any

from benchmarks.settings import *  # noqa: F403
from benchmarks.settings import DATABASES

DATABASES["default"]["NAME"] = "benchmark_user_sessions_load"
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
CACHES: dict[str, Any] = {  # type: ignore[no-redef]
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": os.environ["LOAD_REDIS_URL"],
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
}
# Short, so that what lasts longer after a failed cache is seen within the run.
WAGTAIL_USER_SESSIONS_CACHE_MAX_AGE = 5
WAGTAIL_USER_SESSIONS_ACTIVITY_INTERVAL = 5
WAGTAIL_USER_SESSIONS_LOCATION = False
# Redis is down now and then, which the package says with a traceback each time.
LOGGING = {
    "version": 1,
    "loggers": {
        "wagtail_user_sessions": {"level": "CRITICAL"},
        "django.request": {"level": "ERROR"},
    },
}
