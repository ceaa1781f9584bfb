"""Runs the tests once a database: ``python -m tests [arguments of pytest]``.

A server that can't be reached is skipped, but is an error where CI is set.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

from tests import durations, surroundings
from tests.surroundings import Need

# Tests of the sandbox, which has a database of its own.
SANDBOX_TESTS = ("tests/browser", "tests/test_sandbox.py")
NO_TESTS_COLLECTED = 5


def main(arguments: list[str]) -> int:
    databases = surroundings.databases()
    announce(databases, whole=not arguments)
    outcomes = {name: run(need, arguments) for name, need in databases.items()}
    say("\n=== Summary")
    for name, outcome in outcomes.items():
        say(f"{name:<11} {outcome}")
    has_failed = any(outcome.startswith("failed") for outcome in outcomes.values())
    has_passed = any(outcome.startswith("passed") for outcome in outcomes.values())
    return int(has_failed or not has_passed)


def announce(databases: dict[str, Need], *, whole: bool) -> None:
    """Say what is run, what is skipped and how not to, and how long it takes."""
    say("=== What the tests find here")
    for need in [*databases.values(), *surroundings.others()]:
        say(str(need))
    if whole:
        there = [name for name, need in databases.items() if not need.trouble]
        say(f"\nIt takes about {durations.expected(there)}.")


def run(need: Need, arguments: list[str]) -> str:
    """The outcome in a few words, "failed" first where it is one."""
    if need.trouble:
        outcome = "failed, for CI requires it" if os.environ.get("CI") else "skipped"
        return f"{outcome}: {need.trouble} ({need.remedy})"
    say(f"\n=== Tests on {need.name}")
    started = time.monotonic()
    code = pytest(need.name, arguments)
    seconds = round(time.monotonic() - started)
    if code == NO_TESTS_COLLECTED:
        return "no tests were selected"
    if code:
        return f"failed: pytest answered {code}"
    if not arguments:
        durations.remember(need.name, seconds)
    return f"passed in {seconds} s"


def pytest(database: str, arguments: list[str]) -> int:
    ignored = [f"--ignore={path}" for path in SANDBOX_TESTS]
    command = [
        *(sys.executable, "-m", "pytest", "-n", "auto"),
        *(ignored if database != "sqlite" else ()),
        *arguments,
    ]
    environment = {**os.environ, "TEST_DATABASE": database}
    return subprocess.run(command, env=environment).returncode


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    # Before pytest, another process, says something.
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
