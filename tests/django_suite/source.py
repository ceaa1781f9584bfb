"""Django's own test cases for sessions, from the source of the release installed.

``python -m tests.django_suite.source`` fetches the source distribution with pip.
"""

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import django

FOLDER = Path(__file__).resolve().parents[2] / "build" / "django-source"
PATH = FOLDER / f"django-{django.__version__}" / "tests" / "sessions_tests" / "tests.py"


def fetch() -> None:
    if PATH.exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--no-binary",
                "django",
                "--dest",
                folder,
                f"django=={django.__version__}",
            ],
            check=True,
        )
        (archive,) = Path(folder).glob("*.tar.gz")
        with tarfile.open(archive) as source:
            top = source.getnames()[0].split("/")[0]
            wanted = f"{top}/tests/sessions_tests/tests.py"
            PATH.parent.mkdir(parents=True, exist_ok=True)
            PATH.write_bytes(source.extractfile(wanted).read())


if __name__ == "__main__":
    fetch()
