"""Checks of a whole project, and their documentation."""

import os
import re
import subprocess
import sys
from pathlib import Path

from django.core.management import call_command

from tests.checks.messages import run
from wagtail_user_sessions import checks


def test_a_project_that_is_set_up_well_has_no_messages(capsys):
    assert run() == {}
    call_command("check", fail_level="WARNING")


def test_the_documentation_lists_each_id():
    code = "".join(
        path.read_text() for path in Path(checks.__file__).parent.glob("*.py")
    )
    calls = re.findall(r"\b(error|warning)\((\d+),", code)
    ids = {f"{kind[0].upper()}{int(number):03}" for kind, number in calls}
    page = Path(__file__).parents[2] / "docs" / "checks.md"
    rows = re.findall(
        r"^\| `wagtail_user_sessions\.([EW]\d{3})` \|", page.read_text(), re.MULTILINE
    )
    assert ids
    assert sorted(rows) == sorted(ids)


def test_django_starts_with_an_engine_that_cant_be_imported():
    code = "import django; django.setup(); print('ready')"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.broken_engine",
        "TEST_DATABASE": "sqlite",
    }
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert ran.stdout.strip() == "ready", ran.stderr
