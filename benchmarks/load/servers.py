"""The server processes of a run; only processes that were started here are stopped."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import redis

from . import ports

WORKERS, THREADS = 4, 4
# Seconds until a server must accept connections.
PATIENCE = 30


class Server:
    """A process that listens on a port of its own."""

    def __init__(self, *, log: IO[bytes]) -> None:
        self.port = ports.free()
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command(), stdout=self.log, stderr=self.log
        )
        deadline = time.monotonic() + PATIENCE
        while not ports.is_open(self.port):
            if time.monotonic() > deadline or not self.is_running():
                raise RuntimeError(f"{self.command()[0]} does not start")
            time.sleep(0.02)

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def send(self, signal_: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(signal_)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None and self.is_running():
            self.send(how)
            self.process.wait(PATIENCE)


class Cache(Server):
    """A cache server that keeps everything in memory only, but for its snapshots."""

    def take_snapshot(self) -> bool:
        """Write what the cache holds to the disk; return False if it can't."""
        return False

    def restore(self) -> None:
        """Start with what the snapshot holds."""
        raise NotImplementedError

    @property
    def location(self) -> str:
        """The value of `LOCATION` in Django's setting."""
        return f"{ports.HOST}:{self.port}"


class Redis(Cache):
    def __init__(self, *, log: IO[bytes]) -> None:
        super().__init__(log=log)
        self.folder = tempfile.TemporaryDirectory(prefix="benchmark-load-")
        self.snapshot = Path(self.folder.name, "snapshot.rdb")

    def start(self) -> None:
        self.snapshot.unlink(missing_ok=True)
        super().start()

    def take_snapshot(self) -> bool:
        with redis.Redis.from_url(self.location) as client:
            return bool(client.save())

    def restore(self) -> None:
        super().start()

    def command(self) -> Sequence[str]:
        options = {
            "port": self.port,
            "bind": ports.HOST,
            "save": "",
            "appendonly": "no",
            "dir": self.folder.name,
            "dbfilename": self.snapshot.name,
        }
        words = [(f"--{name}", str(value)) for name, value in options.items()]
        return ["redis-server", *(word for pair in words for word in pair)]

    @property
    def location(self) -> str:
        return f"redis://{super().location}/0"


class Memcached(Cache):
    def command(self) -> Sequence[str]:
        # memcached switches to this user if root starts it.
        return ["memcached", "-l", ports.HOST, "-p", str(self.port), "-u", "nobody"]


CACHES = {"redis": Redis, "memcached": Memcached}
# gunicorn's name of the worker class, and the application that it serves.
WORKER_CLASSES = {
    "gthread": ("gthread", "benchmarks.load.wsgi"),
    "gevent": ("gevent", "benchmarks.load.wsgi"),
    "uvicorn": ("uvicorn_worker.UvicornWorker", "benchmarks.load.asgi"),
}


class Gunicorn(Server):
    def __init__(self, *, log: IO[bytes], worker_class: str) -> None:
        super().__init__(log=log)
        self.worker_class, self.application = WORKER_CLASSES[worker_class]

    def command(self) -> Sequence[str]:
        options = {
            "workers": WORKERS,
            "threads": THREADS,
            "worker-class": self.worker_class,
            "bind": f"{ports.HOST}:{self.port}",
            "keep-alive": 60,
            "graceful-timeout": 2,
            "chdir": Path(__file__).resolve().parents[2],
            "log-level": "error",
        }
        words = [f"--{name}={value}" for name, value in options.items()]
        return [sys.executable, "-m", "gunicorn", *words, self.application]

    def kill_a_worker(self) -> bool:
        """Kill a worker, as the kernel does when memory is short.

        gunicorn starts another one. Returns whether there was a worker.
        """
        assert self.process is not None
        master = str(self.process.pid)
        found = subprocess.run(
            ["pgrep", "--parent", master], capture_output=True, check=False
        )
        workers = found.stdout.split()
        if not workers:
            return False
        os.kill(int(random.choice(workers)), signal.SIGKILL)
        return True
