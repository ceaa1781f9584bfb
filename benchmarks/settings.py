"""The settings of the tests, with a PostgreSQL database of the benchmark's own.

POSTGRES_URL names the server: postgresql://postgres@127.0.0.1:5432/postgres
"""

import os

os.environ["TEST_DATABASE"] = "postgresql"

from tests.settings import *  # noqa: F403
from tests.settings import databases

DATABASES = databases()  # type: ignore[no-untyped-call]
# From which the benchmark's own is made.
MAINTENANCE_DATABASE = DATABASES["default"]["NAME"]
DATABASES["default"]["NAME"] = "benchmark_user_sessions_admin"
# As a site has it: no connection is opened for each request.
DATABASES["default"]["CONN_MAX_AGE"] = None
DEBUG = False
# The data of the sessions can't be decoded, which is said for each that is shown.
LOGGING = {"version": 1, "loggers": {"django.security": {"level": "CRITICAL"}}}
