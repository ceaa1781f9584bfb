"""Checks of the database routers, and of what the database can do."""

from unittest.mock import patch

import pytest
from django.db import connection

from tests.checks.messages import run


class SessionsElsewhere:
    def db_for_write(self, model, **hints):
        return "sessions" if model._meta.model_name == "session" else None


def test_sessions_and_users_in_different_databases_are_an_error(settings):
    settings.DATABASE_ROUTERS = ["tests.checks.test_databases.SessionsElsewhere"]
    messages = run()
    assert messages.keys() == {"E006"}
    assert "'sessions', and users in 'default'" in messages["E006"].msg


def test_the_database_check_uses_the_model_of_the_engine(settings):
    settings.DATABASE_ROUTERS = ["tests.checks.test_databases.SessionsElsewhere"]
    settings.SESSION_ENGINE = "tests.models"
    assert run() == {}


@pytest.mark.parametrize("options", [{}, {"server_side_binding": True}])
def test_statements_that_cant_be_prepared_are_a_warning(settings, options):
    settings.WAGTAIL_USER_SESSIONS_PREPARED_STATEMENTS = True
    can_prepare = connection.vendor == "postgresql" and not options
    with patch.dict(connection.settings_dict, OPTIONS=options):
        messages = run()
    assert messages.keys() == (set() if can_prepare else {"W014"})


def test_statements_that_nobody_asks_to_prepare_are_no_warning():
    assert run() == {}
