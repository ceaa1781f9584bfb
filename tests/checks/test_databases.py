"""Checks of the database routers, and of what the database can do."""

from unittest.mock import patch

import pytest
from django.db import connection

from tests.checks.messages import run
from wagtail_user_sessions.checks import databases
from wagtail_user_sessions.checks.databases import check_galera


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


@pytest.mark.django_db
def test_a_database_of_its_own_is_no_node_of_galera():
    assert check_galera(databases=["default"]) == []


@pytest.mark.parametrize(
    ("variables", "ids"),
    [
        ({"wsrep_on": "ON", "wsrep_sync_wait": "0"}, ["wagtail_user_sessions.W015"]),
        ({"wsrep_on": "ON", "wsrep_sync_wait": "6"}, ["wagtail_user_sessions.W015"]),
        ({"wsrep_on": "ON", "wsrep_sync_wait": "1"}, ["wagtail_user_sessions.W015"]),
        ({"wsrep_on": "ON", "wsrep_sync_wait": "3"}, []),
        ({"wsrep_on": "ON", "wsrep_sync_wait": "7"}, []),
        ({"wsrep_on": "OFF", "wsrep_sync_wait": "0"}, []),
        ({}, []),
    ],
)
def test_a_node_of_galera_that_doesnt_wait_for_reads_is_a_warning(
    monkeypatch, variables, ids
):
    monkeypatch.setattr(connection, "vendor", "mysql", raising=False)
    monkeypatch.setattr(databases, "_galera_variables", lambda _: variables)
    assert [message.id for message in check_galera(databases=["default"])] == ids
    assert check_galera(databases=None) == []
    assert check_galera(databases=["other"]) == []
