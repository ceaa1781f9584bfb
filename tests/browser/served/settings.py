"""The sandbox as the browsers visit it: with a few more pages, and perhaps like a
site that is set up otherwise, by the variable TESTS_SITE.
"""

import os
from pathlib import Path

from sandbox.settings import *  # noqa: F403
from sandbox.settings import MIDDLEWARE, TEMPLATES

FOLDER = Path(__file__).resolve().parent
LIKE = os.environ.get("TESTS_SITE")

# Else pages about errors are Django's own.
DEBUG = False

# Where pages under a view restriction lead to.
WAGTAIL_FRONTEND_LOGIN_URL = "/login/"
ROOT_URLCONF = "tests.browser.served.urls"
TEMPLATES[0]["DIRS"].append(FOLDER / "templates")

if LIKE == "boosted":
    # Links are boosted by the site's own htmx, for the whole body.
    TEMPLATES[0]["DIRS"].insert(0, FOLDER / "boosted")
    MIDDLEWARE.append("django.contrib.auth.middleware.LoginRequiredMiddleware")
if LIKE == "guarded":
    MIDDLEWARE.append("tests.browser.served.guard.Middleware")
if LIKE == "every_request":
    SESSION_SAVE_EVERY_REQUEST = True
