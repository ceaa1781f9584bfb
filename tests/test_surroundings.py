"""What a run of the tests says before it starts."""

import json

import pytest

from tests import __main__ as runner
from tests import durations, surroundings
from tests.surroundings import Need


@pytest.fixture(autouse=True)
def remembered(tmp_path, monkeypatch):
    path = tmp_path / "build" / "durations.json"
    monkeypatch.setattr(durations, "PATH", path)
    return path


def test_a_server_that_is_missing_has_its_reason_and_remedy(monkeypatch):
    monkeypatch.setenv("POSTGRES_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    need = surroundings.database("postgresql")
    assert "OperationalError" in need.trouble
    assert "skipped: all its tests; set POSTGRES_URL" in str(need)


def test_a_server_that_is_there_is_found():
    assert str(surroundings.database("sqlite")).endswith(" found")


def test_what_is_missing_is_skipped_but_fails_in_ci(monkeypatch):
    need = Need("mariadb", "no driver", "set MARIADB_URL", "all its tests")
    monkeypatch.delenv("CI", raising=False)
    assert runner.run(need, []) == "skipped: no driver (set MARIADB_URL)"
    monkeypatch.setenv("CI", "true")
    assert runner.run(need, []).startswith("failed, for CI requires it")


@pytest.mark.parametrize(
    ("code", "arguments", "outcome"),
    [
        (0, [], "passed in 0 s"),
        (0, ["-k", "name"], "passed in 0 s"),
        (1, [], "failed: pytest answered 1"),
        (5, ["-k", "name"], "no tests were selected"),
    ],
)
def test_the_outcome_is_told_and_whole_runs_are_remembered(
    monkeypatch, remembered, code, arguments, outcome
):
    monkeypatch.setattr(runner, "pytest", lambda *args: code)
    need = Need("sqlite", "", "", "")
    assert runner.run(need, arguments) == outcome
    assert remembered.exists() == (code == 0 and not arguments)


def test_the_time_it_takes_is_that_of_the_last_time_here(remembered):
    assert durations.expected(["sqlite", "mariadb"]) == "6 min (on two cores)"
    durations.remember("sqlite", 120)
    durations.remember("mariadb", 61)
    assert json.loads(remembered.read_text()) == {"sqlite": 120, "mariadb": 61}
    assert durations.expected(["sqlite", "mariadb"]) == "3 min (as the last time here)"
