"""Django's own test cases for sessions, from the source of the release installed.

``python -m tests.django_suite.source`` fetches the source distribution with pip.
"""

import os
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
            # Two runs may fetch it at once: neither reads half of a file.
            part = PATH.with_suffix(f".{os.getpid()}")
            part.write_bytes(source.extractfile(wanted).read())
            part.replace(PATH)


if __name__ == "__main__":
    fetch()
