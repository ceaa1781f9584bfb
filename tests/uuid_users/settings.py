"""The minimal site with a user model whose primary keys are UUIDs."""

from tests.minimal.settings import *  # noqa: F403
from tests.settings import databases

DATABASES = databases()
DATABASES["default"]["TEST"]["NAME"] += "_uuid"
INSTALLED_APPS = ["tests.uuid_users", *INSTALLED_APPS]  # noqa: F405
AUTH_USER_MODEL = "uuid_users.User"
MIDDLEWARE = [
    "wagtail_user_sessions.middleware.SessionMiddleware",
    "wagtail_user_sessions.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "tests.uuid_users.urls"
# The user model has no migrations, so the models it refers to must have none either.
MIGRATION_MODULES = {"auth": None, "contenttypes": None}
