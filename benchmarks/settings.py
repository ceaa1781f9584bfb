"""The settings of the tests, with a PostgreSQL database of the benchmark's own.

POSTGRES_URL names the server: postgresql://postgres@127.0.0.1:5432/postgres
"""

import os

os.environ["TEST_DATABASE"] = "postgresql"

from tests.settings import *  # noqa: F403
from tests.settings import databases

DATABASES = databases()  # type: ignore[no-untyped-call]
# The connection from which the benchmark's own database is created.
MAINTENANCE_DATABASE = DATABASES["default"]["NAME"]
DATABASES["default"]["NAME"] = "benchmark_user_sessions_admin"
# As on a site: connections stay open from request to request.
DATABASES["default"]["CONN_MAX_AGE"] = None
DEBUG = False
# The made-up data can't be decoded, and Django would log that for each session shown.
LOGGING = {"version": 1, "loggers": {"django.security": {"level": "CRITICAL"}}}
