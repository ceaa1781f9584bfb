"""A project in a folder of its own, whose checks run in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def checked(folder, settings, *options, **apps):
    """Return what the command check prints about the tests' project.

    `settings` is code that changes the tests' settings; `apps` has the source of each
    file of an app by its path, with two underscores for a slash.
    """
    for path, source in apps.items():
        file = folder / f"{path.replace('__', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "__init__.py").touch()
        file.write_text(source)
    (folder / "checked_settings.py").write_text(
        f"from tests.settings import *\n{settings}\n"
    )
    command = subprocess.run(
        [sys.executable, "-m", "django", "check", *options],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
            "DJANGO_SETTINGS_MODULE": "checked_settings",
            "TEST_DATABASE": "sqlite",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return command.stdout + command.stderr
