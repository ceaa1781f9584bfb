"""Bytes, the clean-up and a mass sign-out, of a million sessions.

Makes a database of its own, fills it, and works on copies of it. Exits with 1 if a
figure is larger than the documentation promises.
"""

from __future__ import annotations

import argparse
import os
import sys

import django


def main() -> int:
    options = _options()
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.scale.settings"
    django.setup()
    from . import copies, figures

    try:
        copies.prepare(rows=options.rows, users=options.users)
        found = figures.collect()
    finally:
        copies.drop()
    print(found.text)
    for promise in found.broken:
        print(f"Broken: {promise}")
    return int(bool(found.broken))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.scale")
    parser.add_argument("--rows", type=int, default=1_000_000, help="sessions")
    parser.add_argument("--users", type=int, default=50_000)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
