"""A visit by a user with a UUID: ``python -m tests.uuid_users.visit``."""

import os
import sys

import django
from django.db import connection
from django.test.utils import (
    CaptureQueriesContext,
    setup_databases,
    setup_test_environment,
    teardown_databases,
)


def main():
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.uuid_users.settings"
    django.setup()
    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        visit()
    finally:
        teardown_databases(databases, verbosity=0)
    sys.stdout.write("visited\n")


def visit():
    from django.contrib.auth import get_user_model
    from django.test import Client

    from wagtail_user_sessions.models import Session

    user = get_user_model().objects.create_user("ulla", password="secret")
    client = Client()
    client.force_login(user)
    # The first page writes the client columns.
    client.get("/whoami/")
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/whoami/").content == b"ulla"
        assert len(queries) == 1, queries.captured_queries
    client.get("/change/?to=new")
    assert client.session["value"] == "new"
    row = Session.objects.get()
    assert (row.user, row.user_id) == (user, user.pk)


if __name__ == "__main__":
    main()
