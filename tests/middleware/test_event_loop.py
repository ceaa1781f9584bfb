"""No call of the database or the cache is made in the thread of the event loop."""

import asyncio
import contextlib
import inspect

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.base import UpdateError
from django.core.cache.backends.locmem import LocMemCache
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.test import AsyncClient

from tests.conftest import CHROME, sign_in
from wagtail_user_sessions.backends.cached_db import SessionStore

pytestmark = pytest.mark.django_db(transaction=True)

WATCHED = {
    BaseDatabaseWrapper: ("connect", "cursor", "commit", "rollback", "set_autocommit"),
    CursorWrapper: ("execute", "executemany"),
    LocMemCache: ("add", "get", "set", "delete", "touch", "incr", "clear"),
}


class Watch:
    """Records the calls of the database and the cache, in and outside of the loop."""

    def __init__(self):
        self.elsewhere, self.in_loop = [], []

    def watched(self, owner, name):
        real = getattr(owner, name)

        def call(*args, **kwargs):
            try:
                asyncio.get_running_loop()
            except RuntimeError:
                calls = self.elsewhere
            else:
                calls = self.in_loop
            calls.append(f"{owner.__name__}.{name}")
            return real(*args, **kwargs)

        return call


@pytest.fixture
def watch(monkeypatch):
    watch = Watch()
    for owner, names in WATCHED.items():
        for name in names:
            monkeypatch.setattr(owner, name, watch.watched(owner, name))
    # Else Django raises for some calls in the loop, whose caller might go another way.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    return watch


@pytest.fixture
def site(settings, engine):
    settings.MIDDLEWARE = [
        "wagtail_user_sessions.middleware.SessionMiddleware",
        "wagtail_user_sessions.middleware.AuthenticationMiddleware",
    ]
    settings.ROOT_URLCONF = "tests.urls_asgi"


def run(coroutine):
    """Run it in a loop of this thread; synchronous code runs in another thread."""

    async def closing():
        try:
            return await coroutine
        finally:
            await sync_to_async(connections.close_all)()

    return asyncio.run(closing())


async def signed_in_client():
    client = AsyncClient(headers={"user-agent": CHROME})
    answer = await client.post("/alogin/", {"username": "alice", "password": "secret"})
    assert answer.content == b"yes"
    return client


@pytest.mark.usefixtures("site", "alice")
def test_watch_records_a_view_that_blocks_the_loop(watch):
    run(AsyncClient().get("/blocking/"))
    assert "CursorWrapper.execute" in watch.in_loop


@pytest.mark.usefixtures("site", "alice")
@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/awhoami/", b"alice"),
        ("/achange/", b"changed"),
        ("/data/", None),
        ("/id/", None),
        ("/alogout/", b"bye"),
        # Synchronous views, which ASGI serves as well.
        ("/whoami/", b"alice"),
        ("/change/", b"changed"),
    ],
)
def test_no_page_of_a_user_blocks_the_loop(watch, path, content):
    async def visit():
        client = await signed_in_client()
        for _ in range(3):
            answer = await client.get(path)
            assert answer.status_code == 200
            # After a sign-out the page is a visitor's.
            assert content in {None, answer.content}

    run(visit())
    assert watch.elsewhere
    assert watch.in_loop == []


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("end", ["revoke", "deactivate", "change_password"])
def test_no_page_of_a_session_that_has_ended_blocks_the_loop(watch, alice, end):
    def revoke():
        alice.session_set.all().revoke()

    def deactivate():
        type(alice).objects.filter(pk=alice.pk).update(is_active=False)

    def change_password():
        alice.set_password("another secret")
        alice.save()

    acts = {one.__name__: one for one in (revoke, deactivate, change_password)}

    async def visit():
        client = await signed_in_client()
        await client.get("/awhoami/")
        await sync_to_async(acts[end])()
        return (await client.get("/awhoami/")).content

    assert run(visit()) == b"nobody"
    assert watch.in_loop == []


# The arguments of the methods that need some.
ARGUMENTS = {
    "acreate_model_instance": [{"value": 1}],
    "adelete": [],
    "aexists": ["a" * 32],
    "aget": ["value"],
    "ahas_key": ["value"],
    "apop": ["value"],
    "aset": ["value", 2],
    "aset_expiry": [60],
    "asetdefault": ["other", 1],
    "aupdate": [{"value": 2}],
}


def asynchronous_methods():
    return [
        name
        for name, method in inspect.getmembers(SessionStore)
        if inspect.iscoroutinefunction(method)
    ]


@pytest.mark.parametrize("name", asynchronous_methods())
@pytest.mark.parametrize("is_loaded", [False, True])
def test_no_asynchronous_method_blocks_the_loop(watch, store, alice, name, is_loaded):
    session = sign_in(store, alice, value=1, **{store.TEST_COOKIE_NAME: "worked"})
    key = session.session_key
    watch.elsewhere.clear()

    async def call():
        session = store(key)
        if is_loaded:
            await session.aload()
            await session.akeys()
        await getattr(session, name)(*ARGUMENTS.get(name, []))
        # The method's changes are saved too; the save of an ended session is refused.
        with contextlib.suppress(UpdateError):
            await session.asave()

    run(call())
    assert watch.in_loop == []
