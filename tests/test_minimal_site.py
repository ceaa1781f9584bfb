import subprocess
import sys


def test_a_site_with_nothing_but_apps_middleware_engine_and_include_has_a_page():
    visit = subprocess.run(
        [sys.executable, "-m", "tests.minimal.visit"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert visit.returncode == 0, visit.stderr
    assert visit.stdout == "visited\n"
