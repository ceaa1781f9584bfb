"""A Redis of the test's own, and the time-outs of the process's connections."""

import signal
import subprocess
import time

import redis
from redis.connection import AbstractConnection

from tests.claims import free_port
from wagtail_user_sessions.cache import copies

# Bytes; connections take some of them.
ROOM = 300_000


class RedisServer:
    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self):
        return redis.Redis.from_url(self.url)

    def start(self):
        """Start with the entries of the last snapshot, or with none."""
        command = f"redis-server --port {self.port} --bind 127.0.0.1 --loglevel warning"
        self.process = subprocess.Popen(
            [*command.split(), "--save", "", "--dir", str(self.folder)],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while not self.answers():
            assert time.monotonic() < deadline, "redis-server does not start"
            time.sleep(0.02)
        end_pause()

    def answers(self):
        try:
            with self.client() as client:
                return client.ping()
        except redis.RedisError:
            return False

    def take_snapshot(self):
        with self.client() as client:
            client.save()

    def restore(self):
        """Bring back the entries that the last snapshot has."""
        self.stop()
        self.start()

    def fill(self):
        """Leave no room: what is written fails."""
        with self.client() as client:
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("maxmemory", 1)

    def evict(self):
        """Leave little room, and take it: what is written evicts older entries."""
        with self.client() as client:
            used = client.info("memory")["used_memory"]
            client.config_set("maxmemory-policy", "allkeys-lru")
            client.config_set("maxmemory", used + ROOM)
            for number in range(ROOM // 1000):
                client.set(f"filling{number}", "x" * 1000)

    def count_evicted(self):
        with self.client() as client:
            return client.info("stats")["evicted_keys"]

    def stop(self):
        self.process.kill()
        self.process.wait()

    def silence(self):
        self.process.send_signal(signal.SIGSTOP)

    def speak(self):
        self.process.send_signal(signal.SIGCONT)
        end_pause()


def end_pause():
    """End the pause in which a failed cache is left alone."""
    copies._paused_until = 0.0


class Waits:
    """The commands that connections to Redis send, and how many waited in vain."""

    def __init__(self, monkeypatch):
        self.sent = self.timed_out = 0
        for name in ("send_packed_command", "read_response", "connect"):
            real = getattr(AbstractConnection, name)
            monkeypatch.setattr(AbstractConnection, name, self.counting(name, real))

    def counting(self, name, real):
        def counted(connection, *args, **kwargs):
            self.sent += name == "send_packed_command"
            try:
                return real(connection, *args, **kwargs)
            except redis.TimeoutError as error:
                # On its way up, one error passes several of these methods.
                self.timed_out += not hasattr(error, "is_counted")
                error.is_counted = True
                raise

        return counted

    def take(self):
        """Return both counts, and begin anew, after the end of any pause."""
        counts = self.sent, self.timed_out
        self.sent = self.timed_out = 0
        end_pause()
        return counts
