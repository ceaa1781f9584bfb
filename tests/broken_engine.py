"""The settings of the tests, with an engine that doesn't exist."""

from tests.settings import *  # noqa: F403

SESSION_ENGINE = "no.such.engine"
