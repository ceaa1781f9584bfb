import gc
import os
from contextlib import contextmanager
from importlib import import_module

import pytest
import redis
from django.conf import settings as django_settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.cache import cache
from django.db import Error, OperationalError, connection
from django.test import Client, TransactionTestCase
from django.test.utils import CaptureQueriesContext

from tests import claims, groups
from tests.browser import site
from tests.database import quick_teardown
from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.sessions import batch_size

ENGINES = ("db", "cached_db")
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)


def pytest_xdist_auto_num_workers():
    """How many workers there are for ``-n auto``: some tests wait, so two at least.

    Each has a number of Redis, and of those there are seven from the default on.
    """
    return min(max(os.cpu_count() or 1, 2), 4)


def pytest_collection_finish():
    # Modules and collected tests live to the end, and the collector need not walk
    # them again and again: that was a tenth of the time.
    gc.collect()
    gc.freeze()


def pytest_itemcollected(item):
    group = groups.group_of(item)
    if group is not None:
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session", autouse=True)
def own_redis():
    """Has a number of Redis that no other worker clears."""
    django_settings.REDIS_URL = claims.redis_url(django_settings.REDIS_URL)


@pytest.fixture(scope="session", autouse=True)
def teardown():
    """Empties the database after transactional tests faster than Django does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", quick_teardown())
        yield


@pytest.fixture(scope="session")
def filled_sandbox(tmp_path_factory):
    """The folder of a sandbox that ``demo`` has filled, to be copied."""
    folder = tmp_path_factory.getbasetemp()
    # A worker's own folder is in one that all workers share.
    shared = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    return site.fill_once(shared / "sandbox")


@pytest.fixture(params=ENGINES)
def engine(request, settings):
    """Runs a test on both engines, and answers with the engine's module."""
    settings.SESSION_ENGINE = f"wagtail_user_sessions.backends.{request.param}"
    cache.clear()
    copies.are_kept = False
    copies._paused_until = 0.0
    copies._pending.clear()
    yield import_module(settings.SESSION_ENGINE)
    cache.clear()
    copies._paused_until = 0.0
    copies._pending.clear()


@pytest.fixture
def store(engine):
    """The SessionStore class of the engine."""
    return engine.SessionStore


@pytest.fixture
def alice(django_user_model):
    return django_user_model.objects.create_user("alice", password="secret")


@pytest.fixture
def bob(django_user_model):
    return django_user_model.objects.create_user("bob", password="secret")


def set_user(session, user):
    """Write the auth keys of the user into the session."""
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()


def sign_in(store, user, **data):
    """A session of the user, saved, with the data."""
    session = store()
    session.update(data)
    set_user(session, user)
    session.save()
    return session


@contextmanager
def listening(signal, receiver, **kwargs):
    """The receiver hears the signal in this block, and no longer."""
    signal.connect(receiver, **kwargs)
    try:
        yield
    finally:
        signal.disconnect(receiver, **kwargs)


@pytest.fixture
def browser(engine):
    """Signed-in clients: ``browser(user, agent=…, ip=…)``."""

    def make(user=None, *, agent=CHROME, ip="192.0.2.1"):
        client = Client(
            headers={"user-agent": agent}, REMOTE_ADDR=ip, raise_request_exception=False
        )
        if user is not None:
            credentials = {"username": user.get_username(), "password": "secret"}
            assert client.post("/login/", credentials).content == b"yes"
        return client

    return make


@pytest.fixture
def batches_of(monkeypatch):
    """Makes batches of deletions as large as this, however long they take."""

    def set_size(size):
        for name in ("FIRST_BATCH", "SMALLEST_BATCH", "LARGEST_BATCH"):
            monkeypatch.setattr(batch_size, name, size)

    return set_size


class Statements:
    """The statements of a block, but for those that read the user."""

    def __init__(self):
        self.captured = CaptureQueriesContext(connection)

    def __enter__(self):
        self.captured.__enter__()
        return self

    def __exit__(self, *exc_info):
        self.captured.__exit__(*exc_info)

    @property
    def all(self):
        return [query["sql"] for query in self.captured.captured_queries]

    @property
    def verbs(self):
        """The first words of the statements that are not about the user."""
        return [
            sql.split()[0].upper()
            for sql in self.all
            if "auth_user" not in sql.split("WHERE")[0]
        ]


@pytest.fixture
def statements():
    return Statements


class Cancelled(Exception):
    """The driver's error for a statement that PostgreSQL has cancelled."""

    # Also of a row that another transaction has moved to another partition.
    sqlstate = "40001"


@pytest.fixture(params=[Error(1213), Cancelled()], ids=["MariaDB", "PostgreSQL"])
def cancelled_once(request):
    """Cancels the first statement that begins with a verb, as to break a deadlock."""

    @contextmanager
    def cancelling(verb):
        cancelled = []

        def cancel_once(execute, sql, *args):
            if sql.startswith(verb) and not cancelled:
                cancelled.append(sql)
                raise OperationalError("cancelled") from request.param
            return execute(sql, *args)

        with connection.execute_wrapper(cancel_once):
            yield
        assert cancelled

    return cancelling


def redis_is_there(url):
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=1) as client:
            return client.ping()
    except redis.RedisError:
        return False


def skip_or_fail(message):
    """Skip a test for what isn't there; in CI nothing may be missing."""
    if os.environ.get("CI"):
        pytest.fail(f"{message}, and CI requires it")
    pytest.skip(message)


@pytest.fixture
def redis_cache(settings):
    """A cache on the Redis of REDIS_URL, empty."""
    if not redis_is_there(settings.REDIS_URL):
        skip_or_fail(f"no Redis at {settings.REDIS_URL} (set REDIS_URL)")
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": settings.REDIS_URL,
            "KEY_PREFIX": f"tests-{os.getpid()}",
        }
    }
    return cache
