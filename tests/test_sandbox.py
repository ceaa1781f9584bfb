"""The sandbox, run by its commands."""

import json
import shutil
import subprocess

import pytest

from sandbox.home.accounts import ACCOUNTS
from tests.browser import site
from tests.conftest import skip_or_fail

pytestmark = pytest.mark.slow

LIST_ROWS = """\
import json
from wagtail_user_sessions.models import Session

columns = ("user__username", "ip", "browser", "os", "city", "country")
print(json.dumps([list(row) for row in Session.objects.active().values_list(*columns)]))
"""


@pytest.fixture
def var(filled_sandbox, tmp_path):
    return shutil.copytree(filled_sandbox, tmp_path / "var")


def rows(var):
    return sorted(json.loads(site.manage(var, "shell", "-v", "0", "-c", LIST_ROWS)))


def test_the_sandbox_passes_its_checks(var):
    output = site.manage(var, "check", "--fail-level", "WARNING")
    assert "no issues" in output


def test_the_migrations_of_the_sandbox_are_complete(var):
    assert "No changes" in site.manage(var, "makemigrations", "--check", "--dry-run")


def test_every_demo_session_knows_its_user_device_and_place(var):
    found = rows(var)
    assert len(found) == sum(len(account.visits) for account in ACCOUNTS)
    assert all(all(columns) for columns in found)


def test_demo_may_run_twice_without_piling_up_rows(var):
    before = rows(var)
    output = site.manage(var, "demo", "--address", "http://127.0.0.1:8123")
    assert rows(var) == before
    assert "http://127.0.0.1:8123/account/devices/" in output
    for account in ACCOUNTS:
        assert account.username in output
        assert account.password in output


@pytest.mark.parametrize("arguments", [(), ("THEME=off",), ("PORT=8123",)])
def test_make_knows_how_to_serve_the_demo(arguments):
    if shutil.which("make") is None:
        skip_or_fail("no make on PATH")
    dry_run = subprocess.run(
        ["make", "--dry-run", "demo", *arguments],
        cwd=site.BASE_DIR,
        capture_output=True,
        text=True,
    )
    assert dry_run.returncode == 0, dry_run.stderr
    assert "sandbox.manage runserver" in dry_run.stdout
