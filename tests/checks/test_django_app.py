"""Checks for remains of Django's own session app."""

import pytest
from django.apps import apps
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.checks import Tags
from django.db import OperationalError, connection, models
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.test.utils import isolate_apps
from django.utils import timezone

from tests.checks.messages import run
from tests.checks.project import checked
from wagtail_user_sessions.checks import django_app


@pytest.mark.django_db
def test_a_database_without_remains_has_no_messages():
    assert run(Tags.database, databases=["default"]) == {}


def test_djangos_app_beside_ours_is_a_warning(monkeypatch):
    # Patched, since Wagtail's apps can't be set up twice in a process.
    monkeypatch.setattr(django_app.apps, "is_installed", lambda name: True)
    messages = run()
    assert messages.keys() == {"W001"}
    assert "Take it out" in messages["W001"].hint
    assert "inside a function" in messages["W001"].hint


MIGRATION = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("sessions", "__first__")]
"""


def test_djangos_app_that_a_migration_depends_on_is_not_to_be_taken_out(tmp_path):
    # The app before ours imports the class where no check sees it.
    said = checked(
        tmp_path,
        "INSTALLED_APPS += ['cloakroom', 'django.contrib.sessions']",
        "--tag=wagtail_user_sessions",
        cloakroom__migrations__0001_initial=MIGRATION,
        cloakroom__jobs="def job():\n    from django.contrib.sessions.models import "
        "Session",
    )
    assert "W001" in said
    assert "the migration 0001_initial of cloakroom depends on it" in said
    assert "Take it out" not in said
    assert "W020" not in said
    assert "inside a function" in said


def test_djangos_app_that_nothing_needs_is_to_be_taken_out(tmp_path):
    said = checked(
        tmp_path,
        "INSTALLED_APPS += ['cloakroom', 'django.contrib.sessions']",
        "--tag=wagtail_user_sessions",
        cloakroom__migrations__0001_initial=MIGRATION.replace("sessions", "auth"),
    )
    assert "W001" in said
    assert "Take it out" in said
    assert "inside a function" in said


def test_a_migration_that_can_not_be_imported_crashes_no_check(tmp_path):
    said = checked(
        tmp_path,
        "INSTALLED_APPS += ['cloakroom', 'django.contrib.sessions']",
        "--tag=wagtail_user_sessions",
        cloakroom__migrations__0001_initial="import no_such_module",
    )
    assert "Traceback" not in said
    assert "W001" in said


@pytest.fixture(params=django_app.TABLES)
def table(request, transactional_db):
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE {request.param} (session_key varchar(40) PRIMARY KEY)"
        )
    yield request.param
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {request.param}")


def insert_key(table):
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} VALUES ('a raw key')")


def test_a_table_of_session_keys_is_a_warning_while_it_holds_some(table):
    assert run(Tags.database, databases=["default"]) == {}
    insert_key(table)
    messages = run(Tags.database, databases=["default"])
    assert messages.keys() == {"W002"}
    assert f"The table {table} of the database 'default'" in messages["W002"].msg
    assert f"DROP TABLE {table};" in messages["W002"].hint
    assert "a raw key" not in str(messages["W002"])


@isolate_apps("tests")
def test_a_table_of_an_installed_app_is_to_be_emptied(table, monkeypatch):
    class Model(models.Model):  # noqa: DJ008
        class Meta:
            app_label = "tests"
            db_table = table

    insert_key(table)
    monkeypatch.setattr(django_app.apps, "get_models", lambda: [Model])
    Model._meta.apps.app_configs["tests"] = apps.get_app_config("tests")
    hint = run(Tags.database, databases=["default"])["W002"].hint
    assert f"DELETE FROM {table};" in hint
    assert "Where tests goes on writing keys, take it out" in hint


@isolate_apps("tests")
def test_a_table_of_a_sites_earlier_engine_is_a_warning(transactional_db, monkeypatch):
    class CustomSession(AbstractBaseSession):
        class Meta:
            app_label = "tests"
            db_table = "custom_session"

    monkeypatch.setattr(django_app.apps, "get_models", lambda: [CustomSession])
    CustomSession._meta.apps.app_configs["tests"] = apps.get_app_config("tests")
    with connection.schema_editor() as editor:
        editor.create_model(CustomSession)
    try:
        assert run(Tags.database, databases=["default"]) == {}
        CustomSession(session_key="a raw key", expire_date=timezone.now()).save()
        messages = run(Tags.database, databases=["default"])
        assert "custom_session" in messages["W002"].msg
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(CustomSession)


def test_a_table_of_the_same_name_without_keys_is_no_warning(transactional_db):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE user_sessions_session (id integer PRIMARY KEY)")
        try:
            cursor.execute("INSERT INTO user_sessions_session VALUES (1)")
            assert run(Tags.database, databases=["default"]) == {}
        finally:
            cursor.execute("DROP TABLE user_sessions_session")


def test_the_table_check_queries_no_database_unless_it_is_named(table):
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
