"""The settings of the tests, but for an engine that isn't there."""

from tests.settings import *  # noqa: F403

SESSION_ENGINE = "no.such.engine"
