"""Checks for remains of Django's own session app."""

import pytest
from django.core.checks import Tags
from django.db import OperationalError, connection
from django.db.backends.sqlite3.base import DatabaseWrapper

from tests.checks.messages import run
from wagtail_user_sessions.checks import django_app


@pytest.mark.django_db
def test_a_database_without_remains_has_no_messages():
    assert run(Tags.database, databases=["default"]) == {}


def test_djangos_app_beside_ours_is_a_warning(monkeypatch):
    # Patched, since Wagtail's apps can't be set up twice in a process.
    monkeypatch.setattr(django_app.apps, "is_installed", lambda name: True)
    assert run().keys() == {"W001"}


@pytest.fixture
def django_table(transactional_db):
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE django_session (session_key varchar(40) PRIMARY KEY)"
        )
    yield "django_session"
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE django_session")


def test_djangos_table_is_a_warning_while_it_holds_keys(django_table):
    assert run(Tags.database, databases=["default"]) == {}
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {django_table} VALUES ('a raw key')")
    messages = run(Tags.database, databases=["default"])
    assert messages.keys() == {"W002"}
    assert "DROP TABLE django_session" in messages["W002"].hint
    assert "a raw key" not in str(messages["W002"])


def test_the_table_check_queries_no_database_unless_it_is_named(django_table):
    with connection.execute_wrapper(lambda *args: pytest.fail("it was queried")):
        assert run(Tags.database, databases=[]) == {}


@pytest.mark.django_db
def test_a_database_that_can_not_be_reached_crashes_no_check(tmp_path, monkeypatch):
    gone = {**connection.settings_dict, "NAME": str(tmp_path / "missing" / "file")}
    unreachable = DatabaseWrapper(gone, alias="default")
    monkeypatch.setattr(django_app, "connections", {"default": unreachable})
    assert run(Tags.database, databases=["default"]) == {}
    with pytest.raises(OperationalError):
        unreachable.ensure_connection()
