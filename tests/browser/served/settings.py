"""Settings of the site that the browsers visit: the sandbox with a few more pages.

The environment variable TESTS_SITE selects a special set-up, and TESTS_HTMX a way in
which the site loads htmx 4.
"""

import os
from pathlib import Path

from sandbox.settings import *  # noqa: F403
from sandbox.settings import MIDDLEWARE, STATICFILES_DIRS, TEMPLATES
from tests.browser import htmx

FOLDER = Path(__file__).resolve().parent
LIKE = os.environ.get("TESTS_SITE")
HTMX = os.environ.get("TESTS_HTMX")

# With DEBUG, Django shows error pages of its own.
DEBUG = False

# Wagtail redirects to it from pages with a view restriction.
WAGTAIL_FRONTEND_LOGIN_URL = "/login/"
ROOT_URLCONF = "tests.browser.served.urls"
TEMPLATES[0]["DIRS"].append(FOLDER / "templates")

if LIKE == "boosted":
    # Links are boosted by the site's own htmx, for the whole body.
    TEMPLATES[0]["DIRS"].insert(0, FOLDER / "boosted")
    MIDDLEWARE.append("django.contrib.auth.middleware.LoginRequiredMiddleware")
if HTMX:
    STATICFILES_DIRS.append(htmx.FOLDER)
    TEMPLATES[0]["DIRS"].insert(0, FOLDER / HTMX)
if LIKE == "guarded":
    MIDDLEWARE.append("tests.browser.served.guard.Middleware")
if LIKE == "every_request":
    SESSION_SAVE_EVERY_REQUEST = True
