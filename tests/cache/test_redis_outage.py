"""A Redis of the test's own, stopped, silenced and brought back."""

import shutil
import signal
import subprocess
import time

import pytest
import redis

from tests.claims import free_port
from tests.conftest import skip_or_fail
from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.models import Session

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("engine", ["cached_db"], indirect=True),
    pytest.mark.usefixtures("engine"),
]

SESSIONS = 20


class RedisServer:
    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        self.process = subprocess.Popen(
            [
                "redis-server",
                "--port",
                str(self.port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--dir",
                str(self.folder),
                "--loglevel",
                "warning",
            ],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while not self.answers():
            assert time.monotonic() < deadline, "redis-server does not start"
            time.sleep(0.02)
        # Ends the pause in which reads leave a failed cache alone.
        copies._paused_until = 0.0

    def answers(self):
        try:
            with redis.Redis.from_url(self.url) as client:
                return client.ping()
        except redis.RedisError:
            return False

    def save(self):
        with redis.Redis.from_url(self.url) as client:
            client.save()

    def stop(self):
        self.process.kill()
        self.process.wait()

    def silence(self):
        self.process.send_signal(signal.SIGSTOP)

    def speak(self):
        self.process.send_signal(signal.SIGCONT)
        copies._paused_until = 0.0


@pytest.fixture
def server(tmp_path, settings, engine):
    if shutil.which("redis-server") is None:
        skip_or_fail("no redis-server on the PATH")
    server = RedisServer(tmp_path)
    before = settings.CACHES
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": server.url,
            "OPTIONS": {"socket_timeout": 0.2, "socket_connect_timeout": 0.2},
        }
    }
    yield server
    server.stop()
    settings.CACHES = before


@pytest.fixture
def clients(server, browser, alice):
    clients = [browser(alice) for _ in range(SESSIONS)]
    for client in clients * 2:
        assert client.get("/whoami/").content == b"alice"
    return clients


def count_signed_in(clients):
    return [client.get("/whoami/").content for client in clients].count(b"alice")


def walk(browser, alice):
    """Sign in, read, change and sign out; return the answers."""
    client = browser(alice)
    return [
        client.get("/whoami/").content,
        client.get("/change/").content,
        client.post("/logout/").content,
        client.get("/whoami/").content,
    ]


WALK = [b"alice", b"changed", b"bye", b"nobody"]


def test_with_redis_stopped_pages_answer_and_revocation_works(
    server, clients, browser, alice, caplog
):
    server.stop()
    assert count_signed_in(clients) == SESSIONS
    assert walk(browser, alice) == WALK
    revoked = alice.session_set.all().revoke()
    assert (revoked, revoked.cache_failed) == (SESSIONS, True)
    assert count_signed_in(clients) == 0
    assert "cache of the sessions has failed" in caplog.text


def test_with_redis_silent_pages_answer_and_revocation_works(
    server, clients, browser, alice
):
    server.silence()
    assert count_signed_in(clients) == SESSIONS
    assert walk(browser, alice) == WALK
    assert alice.session_set.all()[:1].get().revoke().cache_failed
    assert count_signed_in(clients) == SESSIONS - 1
    server.speak()


def test_a_redis_that_comes_back_empty_admits_no_ended_session(server, clients, alice):
    server.stop()
    alice.session_set.all().revoke()
    server.start()
    for _ in range(3):
        assert count_signed_in(clients) == 0


def test_a_redis_that_comes_back_with_old_data_admits_none_after_the_max_age(
    server, clients, alice, settings
):
    settings.WAGTAIL_USER_SESSIONS_CACHE_MAX_AGE = 2
    server.save()
    alice.session_set.all().revoke()
    assert count_signed_in(clients) == 0
    server.stop()
    server.start()
    time.sleep(2)
    assert count_signed_in(clients) == 0


def test_copies_are_kept_again_once_redis_is_back(server, clients, statements):
    server.stop()
    count_signed_in(clients)
    server.start()
    for _ in range(2):
        count_signed_in(clients)
    with statements() as executed:
        assert count_signed_in(clients) == SESSIONS
    assert executed.verbs == []
    assert Session.objects.count() == SESSIONS
