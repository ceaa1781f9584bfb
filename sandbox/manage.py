#!/usr/bin/env python
"""``python -m sandbox.manage``, or ``python sandbox/manage.py`` from anywhere."""

import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line


def main() -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sandbox.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
