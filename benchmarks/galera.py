"""Sessions on two nodes of MariaDB Galera: ``python -m benchmarks.galera``.

Starts a cluster of its own (Debian has the packages mariadb-server and galera-4), and
counts what must never happen while two processes use a node each. Exits with 1 if
anything did. ``--wait`` sets ``wsrep_sync_wait``: 1 lets only reads wait for what the
other node has committed, and 0 nothing.
"""

from __future__ import annotations

import argparse
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import django

from benchmarks.load import ports

PROVIDER = Path("/usr/lib/galera/libgalera_smm.so")
HOST, USER = "127.0.0.1", "mysql"
PATIENCE = 60  # seconds


class Node:
    """A node of the cluster; the first one begins it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.group, self.ist, self.sst = (ports.free() for _ in range(4))

    def start(self, cluster: str) -> None:
        install = ["mariadb-install-db", "--no-defaults", "--skip-test-db"]
        install.append("--auth-root-authentication-method=normal")
        self._run([*install, f"--datadir={self.folder}", *_as_user()], wait=True)
        self.process = self._run(
            [
                *("mariadbd", "--no-defaults", *_as_user()),
                f"--datadir={self.folder}",
                f"--socket={self.folder}/socket",
                f"--pid-file={self.folder}/pid",
                *(f"--bind-address={HOST}", f"--port={self.port}"),
                *("--binlog-format=ROW", "--innodb-autoinc-lock-mode=2"),
                "--innodb-flush-log-at-trx-commit=0",
                *("--wsrep-on=ON", f"--wsrep-provider={PROVIDER}"),
                f"--wsrep-cluster-address=gcomm://{cluster}",
                f"--wsrep-node-address={HOST}:{self.group}",
                f"--wsrep-provider-options=base_port={self.group};"
                f"ist.recv_addr={HOST}:{self.ist}",
                "--wsrep-sst-method=rsync",
                f"--wsrep-sst-receive-address={HOST}:{self.sst}",
            ],
            wait=False,
        )
        self._wait_until_synced()

    def _run(self, command: list[str], *, wait: bool) -> subprocess.Popen[bytes]:
        with (self.folder.parent / "log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        if wait and process.wait():
            raise RuntimeError(f"{command[0]} has failed")
        return process

    def _wait_until_synced(self) -> None:
        ask = f"mariadb --no-defaults -h{HOST} -P{self.port} -uroot -Ne".split()
        status = "SHOW STATUS LIKE 'wsrep_local_state_comment'"
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            answer = subprocess.run([*ask, status], capture_output=True, text=True)
            if "Synced" in answer.stdout:
                return
            time.sleep(0.2)
        log = (self.folder.parent / "log").read_text()
        raise RuntimeError(f"A node of Galera doesn't start:\n{log[-2000:]}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)


def main() -> int:
    parser = argparse.ArgumentParser(description="Sessions on two nodes of Galera.")
    parser.add_argument("--changes", type=int, default=4000)
    parser.add_argument("--revocations", type=int, default=800)
    parser.add_argument("--sign-ins", type=int, default=200)
    parser.add_argument("--wait", type=int, default=3, choices=range(4))
    options = parser.parse_args()
    if not PROVIDER.exists() or shutil.which("mariadbd") is None:
        parser.error("install mariadb-server and galera-4")
    with cluster() as nodes:
        _configure(nodes[0], wait=options.wait)
        lost = _lost_changes(nodes, options.changes)
        say(f"changes lost: {lost} of {options.changes}")
        revived = _revived(nodes, options.revocations)
        say(
            f"sessions that outlived a revocation beside a save: {revived} of "
            f"{options.revocations}"
        )
        missing, admitted = _seen_late(nodes, options.sign_ins)
        say(
            f"sign-ins that the other node didn't know: {missing} of {options.sign_ins}"
        )
        say(
            f"ended sessions that the other node let in: {admitted} of "
            f"{options.sign_ins}"
        )
    return int(any((lost, revived, missing, admitted)))


@contextmanager
def cluster() -> Iterator[list[Node]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        nodes = [Node(folder / name) for name in ("first", "second")]
        for path in (folder, *(node.folder for node in nodes)):
            path.mkdir(exist_ok=True)
            if os.getuid() == 0:
                shutil.chown(path, USER)
        for node in nodes:
            node.start(f"{HOST}:{nodes[0].group}" if node is not nodes[0] else "")
            stack.callback(node.stop)
        yield nodes


def _as_user() -> list[str]:
    # The server refuses to run as root.
    is_root = os.getuid() == 0
    return [f"--user={USER if is_root else pwd.getpwuid(os.getuid()).pw_name}"]


def _configure(node: Node, *, wait: int) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ["TEST_DATABASE"] = "mariadb"
    os.environ["MARIADB_URL"] = f"mysql://root@{HOST}:{node.port}/mysql"
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE sessions CHARACTER SET utf8mb4")
    connection.close()
    options = {"init_command": f"SET SESSION wsrep_sync_wait = {wait}"}
    connection.settings_dict |= {"NAME": "sessions", "OPTIONS": options}
    call_command("migrate", verbosity=0)


def at(node: Node, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that a process calls with its connection to the node."""

    def call(*arguments: Any) -> Any:
        from django.db import connection

        if connection.settings_dict["PORT"] != node.port:
            connection.close()
            connection.settings_dict["PORT"] = node.port
        return function(*arguments)

    return call


def _lost_changes(nodes: list[Node], changes: int) -> int:
    """Return how many changes were lost of two processes that change one session."""
    from tests.races.racers import racing

    def change(session_key: str, name: str) -> None:
        session = _store(session_key)
        session[name] = 1
        session.save()

    lost = 0
    with racing(*(at(node, change) for node in nodes)) as racers:
        for number in range(changes // len(nodes)):
            session = _new_session(signed_in=number % 2 == 0)
            for name, racer in zip("ab", racers, strict=True):
                racer.start(session.session_key, name)
            for racer in racers:
                racer.finish()
            found = dict(_store(session.session_key).items())
            lost += sum(name not in found for name in "ab")
    return lost


def _revived(nodes: list[Node], revocations: int) -> int:
    """Return how many revoked sessions a page is still let in with."""
    from tests.races.racers import racing
    from wagtail_user_sessions.exceptions import SessionRefused
    from wagtail_user_sessions.models import Session

    def save(session_key: str) -> None:
        session = _store(session_key)
        try:
            session["a"] = 1
            session.save()
        except SessionRefused:
            return

    def revoke(pk: Any) -> None:
        # Without a read before it: a row that this node doesn't have yet is missed.
        Session.objects.filter(pk=pk).revoke()

    revived = 0
    with racing(at(nodes[0], save), at(nodes[1], revoke)) as (saver, revoker):
        for _ in range(revocations):
            session = _new_session(signed_in=True)
            saver.start(session.session_key)
            revoker.start(session.id)
            revoker.finish()
            saver.finish()
            revived += _store().exists(session.session_key)
    return revived


def _seen_late(nodes: list[Node], sign_ins: int) -> tuple[int, int]:
    """Return how many sign-ins and how many ends another node learned too late."""
    from tests.races.racers import racing

    def is_signed_in(session_key: str) -> bool:
        return "_auth_user_id" in _store(session_key)

    missing = admitted = 0
    with racing(at(nodes[1], is_signed_in)) as (other,):
        for _ in range(sign_ins):
            session = _new_session(signed_in=True)
            missing += not other.run(session.session_key)
            session.delete()
            admitted += other.run(session.session_key)
    return missing, admitted


def _store(session_key: str | None = None) -> Any:
    from wagtail_user_sessions.backends.db import SessionStore

    return SessionStore(session_key)


def _new_session(*, signed_in: bool) -> Any:
    from django.contrib.auth.models import User

    from tests.conftest import set_user

    session = _store()
    if signed_in:
        set_user(session, User.objects.get_or_create(username="ann")[0])
    session.save()
    return session


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
