"""What one process of the tests has to itself among those on the same machine.

Workers of pytest-xdist and the tests of another checkout use the same servers.
Each process claims a number, and has a number of Redis and a range of ports by it.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

HOST = "127.0.0.1"
FOLDER = Path(tempfile.gettempdir()) / f"user-sessions-claims-{os.getuid()}"
# Redis has the numbers 0 to 15, unless it is set up otherwise.
REDIS_NUMBERS = 16
# Below the ports that systems choose for outgoing connections.
FIRST_PORT, PORTS = 20000, 200
# Seconds to wait for a number, while other tests end.
TIMEOUT = 60


def claim(name: str, numbers: Sequence[int]) -> int:
    """Return a number that is nobody else's until this process ends; wait for one."""
    FOLDER.mkdir(exist_ok=True)
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        for number in numbers:
            if _is_locked(FOLDER / f"{name}-{number}"):
                return number
        time.sleep(1)
    raise RuntimeError(
        f"Other tests have taken {name}, all of {numbers}: end them, name a lower "
        f"number in REDIS_URL, or run fewer workers (-n). See {FOLDER}"
    )


def _is_locked(path: Path) -> bool:
    """Lock the file until this process ends, however it ends."""
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    return True


@cache
def redis_url(url: str) -> str:
    """Return the URL with a number of Redis's that no other process clears.

    The numbers go up from that of the URL: those below it may hold other data.
    """
    parts = urlsplit(url)
    first = int(parts.path.strip("/") or 0)
    number = claim(f"redis-{parts.netloc}", range(first, REDIS_NUMBERS))
    return parts._replace(path=f"/{number}").geturl()


@cache
def _ports() -> count:
    number = claim("ports", range(60))
    return count(FIRST_PORT + number * PORTS)


def free_port() -> int:
    """Return a port that no other process of the tests is given."""
    for port in _ports():
        with socket.socket() as probe:
            # A server binds to it like this too: what is closing doesn't count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        return port
    raise RuntimeError("There is no free port")
