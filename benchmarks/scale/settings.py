"""The settings of the other benchmarks, with URLs and middleware for pages.

REDIS_URL is the server of the cache; SCALE_ENGINE one of the two engines.
"""

import os

from benchmarks.settings import *  # noqa: F403
from benchmarks.settings import DATABASES
from tests.settings import MIDDLEWARE, REDIS_URL

DATABASES["default"]["NAME"] = "benchmark_user_sessions_scale"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "benchmark_user_sessions_scale",
    }
}
SESSION_ENGINE = (
    f"wagtail_user_sessions.backends.{os.environ.get('SCALE_ENGINE', 'db')}"
)
MIDDLEWARE = [
    name.replace("django.contrib.auth.middleware", "wagtail_user_sessions.middleware")
    for name in MIDDLEWARE
]
