"""Settings of the tests' site in another process, which uses the test's database.

The environment variable ASGI_SITE has the running test's own settings, as JSON.
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
