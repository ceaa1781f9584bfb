"""Runs the tests once a database: ``python -m tests [arguments of pytest]``.

A server that can't be reached is skipped, but is an error where CI is set.
"""

from __future__ import annotations

import os
import subprocess
import sys

URL_VARIABLES = {
    "sqlite": None,
    "postgresql": "POSTGRES_URL",
    "mariadb": "MARIADB_URL",
}
# Tests of the sandbox, which has a database of its own.
SANDBOX_TESTS = ("tests/browser", "tests/test_sandbox.py")
PROBE = """\
import django
from django.db import connection

django.setup()
connection.ensure_connection()
"""
NO_TESTS_COLLECTED = 5


def main(arguments: list[str]) -> int:
    outcomes = {database: run(database, arguments) for database in URL_VARIABLES}
    say("\n=== Summary")
    for database, outcome in outcomes.items():
        say(f"{database:<11} {outcome}")
    has_failed = any(outcome.startswith("failed") for outcome in outcomes.values())
    return int(has_failed or "passed" not in outcomes.values())


def run(database: str, arguments: list[str]) -> str:
    """The outcome in a few words, "failed" first where it is one."""
    say(f"\n=== Tests on {database}")
    environment = {**os.environ, "TEST_DATABASE": database}
    trouble = probe(database, environment)
    if trouble:
        outcome = "failed, for CI requires it" if os.environ.get("CI") else "skipped"
        say(f"{database} {outcome}: {trouble}")
        return f"{outcome}: {trouble}"
    if database != "sqlite":
        ignored = [f"--ignore={path}" for path in SANDBOX_TESTS]
        arguments = [*ignored, *arguments]
    command = [sys.executable, "-m", "pytest", *arguments]
    code = subprocess.run(command, env=environment).returncode
    if code == NO_TESTS_COLLECTED:
        return "no tests were selected"
    return f"failed: pytest answered {code}" if code else "passed"


def probe(database: str, environment: dict[str, str]) -> str:
    """Why the tests can't connect to the database; "" where they can."""
    variable = URL_VARIABLES[database]
    environment = {**environment, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    try:
        probed = subprocess.run(
            [sys.executable, "-c", PROBE],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
    except subprocess.TimeoutExpired:
        return f"it doesn't answer (set {variable})"
    if not probed.returncode:
        return ""
    reason = probed.stderr.strip().splitlines() or ["unknown"]
    # An error's own line starts at the margin; hints and traces are indented.
    errors = [line for line in reason if "Error" in line and not line.startswith(" ")]
    return f"{(errors or reason)[-1]} (set {variable})"


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    # Before pytest, another process, says something.
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
