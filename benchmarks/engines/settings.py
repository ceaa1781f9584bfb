"""The settings of one engine. The environment selects it:

BENCHMARK_VARIANT    the slug of a variant
BENCHMARK_DATABASE   sqlite or postgresql
BENCHMARK_NAME       the PostgreSQL database, and the prefix of the cache's keys
BENCHMARK_FOLDER     the folder of the SQLite database

The servers are those of the tests: POSTGRES_URL and REDIS_URL.
"""

import os

from benchmarks.settings import (
    ALLOWED_HOSTS,
    CACHES,
    DATABASES,
    PASSWORD_HASHERS,
    REDIS_URL,
    SECRET_KEY,
    TEMPLATES,
)

from .variants import BY_SLUG

__all__ = ["ALLOWED_HOSTS", "PASSWORD_HASHERS", "SECRET_KEY", "TEMPLATES"]

VARIANT = BY_SLUG[os.environ["BENCHMARK_VARIANT"]]
NAME = os.environ["BENCHMARK_NAME"]

DATABASES["default"]["NAME"] = NAME
if os.environ["BENCHMARK_DATABASE"] == "sqlite":
    DATABASES["default"] = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": f"{os.environ['BENCHMARK_FOLDER']}/{NAME}.sqlite3",
        "CONN_MAX_AGE": None,
    }
CACHES["default"] = {
    "BACKEND": "django.core.cache.backends.redis.RedisCache",
    "LOCATION": REDIS_URL,
    "KEY_PREFIX": NAME,
}

INSTALLED_APPS = [
    *VARIANT.installed_apps,
    "django.contrib.auth",
    "django.contrib.contenttypes",
]
MIDDLEWARE = list(VARIANT.middleware)
SESSION_ENGINE = VARIANT.engine
ROOT_URLCONF = "benchmarks.engines.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
STATIC_URL = "/static/"
DEBUG = False
# A page that fails ends the run.
DEBUG_PROPAGATE_EXCEPTIONS = True

globals().update(VARIANT.more_settings)
