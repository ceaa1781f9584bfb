"""Settings of the tests. The services are named by environment variables:

TEST_DATABASE   sqlite (the default), postgresql or mariadb
TEST_TIME_ZONE  UTC; in another zone, users of Wagtail's admin are in a third one
POSTGRES_URL    postgresql://postgres@127.0.0.1:5432/postgres
MARIADB_URL     mysql://root@127.0.0.1:3306/test
REDIS_URL       redis://127.0.0.1:6379/9
"""

import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent


def database_from(url, engine):
    parts = urlsplit(url)
    return {
        "ENGINE": f"django.db.backends.{engine}",
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username or "",
        "PASSWORD": parts.password or "",
        "HOST": parts.hostname or "",
        "PORT": parts.port or "",
        "TEST": {"NAME": f"test_user_sessions_{os.getpid()}"},
    }


def databases():
    kind = os.environ.get("TEST_DATABASE", "sqlite")
    if kind == "postgresql":
        url = os.environ.get(
            "POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres"
        )
        # No data must survive a crash of the server, so no test waits for the disk.
        os.environ.setdefault("PGOPTIONS", "-c synchronous_commit=off")
        return {"default": database_from(url, "postgresql")}
    if kind == "mariadb":
        url = os.environ.get("MARIADB_URL", "mysql://root@127.0.0.1:3306/test")
        return {"default": database_from(url, "mysql")}
    # A file, which several processes can share.
    folder = tempfile.mkdtemp(prefix="user-sessions-")
    return {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": f"{folder}/db.sqlite3",
            "OPTIONS": {"init_command": "PRAGMA synchronous = OFF"},
            "TEST": {"NAME": f"{folder}/test.sqlite3"},
        }
    }


DATABASES = databases()
REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/9")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "tests",
    },
}

SECRET_KEY = "a secret of the tests alone"
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
USE_TZ = True
TIME_ZONE = os.environ.get("TEST_TIME_ZONE", "UTC")
ROOT_URLCONF = "tests.urls"
STATIC_URL = "/static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "/login/"
LOGOUT_REDIRECT_URL = "/"

INSTALLED_APPS = [
    "wagtail_user_sessions",
    "tests",
    "django_htmx",
    "wagtail.users",
    "wagtail.images",
    "wagtail.documents",
    "wagtail.snippets",
    "wagtail.admin",
    "wagtail.search",
    "wagtail",
    "modelcluster",
    "taggit",
    "django_filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "wagtail_user_sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
SESSION_ENGINE = "wagtail_user_sessions.backends.db"
SESSION_CACHE_ALIAS = "default"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

WAGTAIL_SITE_NAME = "Tests"
WAGTAILADMIN_BASE_URL = "http://testserver"
