"""A PgBouncer in front of the PostgreSQL of the tests, which pools transactions."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from tests.claims import HOST, free_port

CONFIGURATION = """\
[databases]
* = {database}
[pgbouncer]
listen_addr = {listens_at}
listen_port = {listens_on}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {pool_size}
ignore_startup_parameters = extra_float_digits, options
"""
TIMEOUT = 10  # seconds


def find() -> str | None:
    # Debian puts it where no user but root looks for it.
    return shutil.which("pgbouncer", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")


@contextmanager
def serve(program: str, folder: Path, *, pool_size: int) -> Iterator[int]:
    """Serve with so many connections to the database; yield the port."""
    port = free_port()
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(
        CONFIGURATION.format(
            database=" ".join(
                f"{name.lower()}={connection.settings_dict[name]}"
                for name in ("HOST", "PORT", "USER", "PASSWORD")
                if connection.settings_dict[name]
            ),
            listens_at=HOST,
            listens_on=port,
            pool_size=pool_size,
        )
    )
    # It refuses to run as root.
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    server = subprocess.Popen(
        [program, "--quiet", *user, str(configuration)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(server, port)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=TIMEOUT)


def _wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + TIMEOUT
    while server.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("PgBouncer doesn't serve")
