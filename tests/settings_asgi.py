"""The site of the tests, served by another process that shares the test's data.

ASGI_SITE holds, as JSON, the settings that are the running test's own.
"""

import json
import os

from tests.settings import *  # noqa: F403

globals().update(json.loads(os.environ["ASGI_SITE"]))
MIDDLEWARE = [
    "wagtail_user_sessions.middleware.SessionMiddleware",
    "wagtail_user_sessions.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "tests.urls_asgi"
