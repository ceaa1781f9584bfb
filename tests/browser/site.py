"""The sandbox in a folder of its own, as processes of its own."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from tests.claims import free_port

BASE_DIR = Path(__file__).resolve().parents[2]
START_TIMEOUT = 60  # seconds


@dataclass(frozen=True)
class Site:
    """A sandbox that is served."""

    name: str
    address: str
    backstage: Backstage


class Backstage:
    """Calls the functions of ``tests.browser.backstage`` by their names."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __getattr__(self, name: str):
        def call(**arguments):
            self._process.stdin.write(json.dumps([name, arguments]) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
            assert answer, f"{name} failed: see the log of the site"
            return json.loads(answer)

        return call


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


def fill_once(var: Path) -> Path:
    """Fill a folder with what ``demo`` writes, unless another process has: it takes
    its time.
    """
    with var.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not var.exists():
            unfinished = Path(tempfile.mkdtemp(dir=var.parent))
            manage(unfinished, "demo")
            unfinished.rename(var)
    return var


@contextmanager
def serve(var: Path, *, name: str = "sandbox", **variables: str) -> Iterator[Site]:
    """Serve the sandbox, with these variables in its environment."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    variables = environment(var, **variables)
    variables["DJANGO_SETTINGS_MODULE"] = "tests.browser.served.settings"
    # It serves static files without DEBUG too.
    command = [sys.executable, "-m", "sandbox.manage", "runserver", "--insecure"]
    with (var / "server.log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--noreload", f"127.0.0.1:{port}"],
            cwd=BASE_DIR,
            env=variables,
            stdout=log,
            stderr=log,
        )
        helper = subprocess.Popen(
            [sys.executable, "-m", "tests.browser.backstage"],
            cwd=BASE_DIR,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    try:
        _wait_for(server, address, log=var / "server.log")
        yield Site(name, address, Backstage(helper))
    finally:
        server.terminate()
        helper.stdin.close()
        server.wait(timeout=10)
        helper.wait(timeout=10)
        helper.stdout.close()


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
