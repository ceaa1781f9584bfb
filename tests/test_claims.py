"""Processes of the tests share a machine, and nothing that one could spoil."""

import subprocess
import sys

import pytest

from tests import claims

CLAIM = """\
import sys
from pathlib import Path
from tests import claims

claims.FOLDER = Path(sys.argv[1])
print(claims.claim("seats", range(2)), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "FOLDER", tmp_path)
    return tmp_path


def test_two_processes_never_have_the_same_number(folder):
    assert claims.claim("seats", range(2)) == 0
    with subprocess.Popen(
        [sys.executable, "-c", CLAIM, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout.readline() == "1\n"
        other.kill()
    # However a process ends, its number is free again.
    assert claims.claim("seats", range(2)) == 1


def test_a_claim_gives_up_in_the_end(folder, monkeypatch):
    monkeypatch.setattr(claims, "TIMEOUT", 0.1)
    claims.claim("seats", range(1))
    with pytest.raises(RuntimeError, match="taken"):
        claims.claim("seats", range(1))


def test_numbers_of_redis_go_up_from_that_of_the_url(folder):
    claim = claims.redis_url.__wrapped__
    url = "redis://:secret@localhost:6380/4?socket_timeout=1"
    assert claim(url) == url
    assert claim(url) == url.replace("/4", "/5")
    assert claim("redis://other") == "redis://other/0"


def test_a_port_is_given_once():
    assert len({claims.free_port() for _ in range(20)}) == 20
