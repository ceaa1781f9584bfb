"""Check of the table of a cache in the database."""

import pytest
from django.core.checks import Tags
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.backends.sqlite3.base import DatabaseWrapper

from tests.checks.messages import CACHED_DB, run
from wagtail_user_sessions.checks import cache_table

DATABASE_CACHE = "django.core.cache.backends.db.DatabaseCache"


@pytest.fixture
def use_table(settings):
    def use_table(name):
        settings.SESSION_ENGINE = CACHED_DB
        cache = {"BACKEND": DATABASE_CACHE, "LOCATION": name}
        settings.CACHES = {**settings.CACHES, "default": cache}

    return use_table


def messages(databases=("default",)):
    return run(Tags.database, databases=list(databases))


def test_a_table_that_is_not_created_is_a_warning(transactional_db, use_table):
    use_table("cached {sessions}")
    found = messages()
    assert found.keys() == {"W021"}
    assert "'cached {sessions}'" in found["W021"].msg
    assert "createcachetable --database default" in found["W021"].hint


def test_a_table_that_is_created_is_fine(transactional_db, use_table):
    use_table("cached_sessions")
    call_command("createcachetable", verbosity=0)
    try:
        assert messages() == {}
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE cached_sessions")


def test_the_engine_db_needs_no_table(db, use_table, settings):
    use_table("cached_sessions")
    settings.SESSION_ENGINE = "wagtail_user_sessions.backends.db"
    assert messages() == {}


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["other.cached", '"other"."cached"'])
def test_a_table_in_another_schema_can_not_be_told(use_table, name):
    use_table(name)
    assert messages() == {}


@pytest.mark.django_db
@pytest.mark.parametrize("databases", [[], ["other"]])
def test_a_database_that_is_not_named_is_not_queried(use_table, databases):
    use_table("cached_sessions")
    with connection.execute_wrapper(lambda *args: pytest.fail("it was queried")):
        assert cache_table.check_cache_table(databases=databases) == []
        assert run() == {}


@pytest.mark.django_db
def test_a_cache_elsewhere_has_no_table(settings):
    settings.SESSION_ENGINE = CACHED_DB
    assert messages() == {}
    settings.SESSION_CACHE_ALIAS = "none"
    assert messages() == {}


@pytest.mark.django_db
def test_a_database_that_can_not_be_reached_is_no_missing_table(
    use_table, tmp_path, monkeypatch
):
    gone = {**connection.settings_dict, "NAME": str(tmp_path / "missing" / "file")}
    unreachable = DatabaseWrapper(gone, alias="default")
    monkeypatch.setattr(cache_table, "connections", {"default": unreachable})
    use_table("cached_sessions")
    assert cache_table.check_cache_table(databases=["default"]) == []
    with pytest.raises(OperationalError):
        unreachable.ensure_connection()
