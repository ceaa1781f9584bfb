"""The sandbox in a folder of its own, as processes of its own."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

BASE_DIR = Path(__file__).resolve().parents[2]
START_TIMEOUT = 60  # seconds


def manage(var: Path, *arguments: str) -> str:
    """What a management command of the sandbox printed."""
    return subprocess.run(
        [sys.executable, "-m", "sandbox.manage", *arguments],
        check=True,
        cwd=BASE_DIR,
        env=environment(var),
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


def environment(var: Path, **more: str) -> dict[str, str]:
    # The tests have settings of their own.
    names = os.environ.keys() - {"DJANGO_SETTINGS_MODULE"}
    return {name: os.environ[name] for name in names} | {
        "SANDBOX_VAR": str(var),
        **more,
    }


@cache
def _filled() -> Path:
    """Migrated and filled once, for that takes its time."""
    var = Path(tempfile.mkdtemp(prefix="sandbox-"))
    atexit.register(shutil.rmtree, var, ignore_errors=True)
    manage(var, "demo")
    return var


def fill(var: Path) -> Path:
    """Fill the folder with what ``demo`` writes."""
    shutil.copytree(_filled(), var, dirs_exist_ok=True)
    return var


@contextmanager
def serve(var: Path, *, engine: str) -> Iterator[str]:
    """Serve the sandbox; gives its address."""
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "sandbox.manage", "runserver", "--noreload"]
    with (var / "server.log").open("w") as log:
        server = subprocess.Popen(
            [*command, f"127.0.0.1:{port}"],
            cwd=BASE_DIR,
            env=environment(var, SANDBOX_SESSION_ENGINE=engine),
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(server, address, log=var / "server.log")
        yield address
    finally:
        server.terminate()
        server.wait(timeout=10)


def _wait_for(server: subprocess.Popen[bytes], address: str, *, log: Path) -> None:
    # Whatever proxy the environment names, the site is on this computer.
    opener = build_opener(ProxyHandler({}))
    deadline = time.monotonic() + START_TIMEOUT
    while server.poll() is None and time.monotonic() < deadline:
        try:
            opener.open(f"{address}/login/", timeout=10).close()
        except URLError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"The sandbox doesn't serve:\n{log.read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
