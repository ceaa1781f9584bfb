"""Check of SESSION_ENGINE."""

import pytest

from tests.checks.messages import run


@pytest.mark.parametrize(
    "engine",
    [
        "wagtail_user_sessions.backends.db",
        "wagtail_user_sessions.backends.cached_db",
        "tests.models",
    ],
)
def test_our_engines_and_those_that_extend_them_are_fine(settings, engine):
    settings.SESSION_ENGINE = engine
    assert {"E001", "E002"} & run().keys() == set()


@pytest.mark.parametrize("engine", ["no.such.engine", "tests.urls", ""])
def test_an_engine_that_can_not_be_imported_is_an_error(settings, engine):
    settings.SESSION_ENGINE = engine
    assert run().keys() == {"E001"}


@pytest.mark.parametrize("name", ["db", "cached_db", "signed_cookies"])
def test_another_engine_is_an_error(settings, name):
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{name}"
    assert run().keys() == {"E002"}
