"""The asynchronous methods do what the synchronous ones do."""

import inspect

import pytest
from asgiref.sync import async_to_sync
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.utils import timezone

from tests.conftest import set_user, sign_in
from wagtail_user_sessions.models import Session

pytestmark = pytest.mark.django_db(transaction=True)


def again(session):
    return type(session)(session.session_key)


def stored(session):
    return dict(again(session).items())


@pytest.fixture
def session(store):
    session = store()
    session.update({"kept": 1, "deleted": 2})
    session.save()
    return session


def test_every_async_method_of_django_is_a_coroutine_of_the_store(store):
    names = [name for name in vars(SessionBase) if name.startswith("a")]
    coroutines = [
        name
        for name in names
        if inspect.iscoroutinefunction(getattr(SessionBase, name))
    ]
    assert len(coroutines) > 20
    assert all(inspect.iscoroutinefunction(getattr(store, name)) for name in coroutines)


def test_asave_merges(session):
    @async_to_sync
    async def run():
        ours, theirs = again(session), again(session)
        await ours.aset("ours", 1)
        await theirs.apop("deleted")
        await theirs.asave()
        await ours.asave()
        return dict(await ours.aitems())

    assert run() == stored(session) == {"kept": 1, "ours": 1}


def test_asave_refuses_a_late_save(session):
    @async_to_sync
    async def run():
        late = again(session)
        await late.aset("late", 1)
        await again(session).adelete()
        await late.asave()

    with pytest.raises(UpdateError):
        run()
    assert not Session.objects.exists()


def test_asave_leaves_the_version_of_unchanged_data(session):
    version = Session.objects.get().version

    @async_to_sync
    async def run():
        unchanged = again(session)
        await unchanged.akeys()
        await unchanged.asave()

    run()
    assert Session.objects.get().version == version


def test_acycle_key_keeps_the_row_and_invalidates_the_old_key(session, store):
    old_key, row = session.session_key, Session.objects.get()

    @async_to_sync
    async def run():
        cycling = again(session)
        await cycling.acycle_key()
        return cycling, await cycling.aid()

    cycling, pk = run()
    assert pk == row.pk
    assert store(old_key).load() == {}
    assert stored(cycling)["kept"] == 1


def test_acycle_key_refuses_an_ended_user_session(store, alice):
    session = sign_in(store, alice)

    @async_to_sync
    async def run():
        late = again(session)
        await late.akeys()
        await again(session).adelete()
        await late.acycle_key()

    with pytest.raises(UpdateError):
        run()


def test_aflush_ends_the_session(session):
    @async_to_sync
    async def run():
        flushing = again(session)
        await flushing.aflush()
        return flushing.session_key, await flushing.aexists(session.session_key)

    assert run() == (None, False)


def test_acreate_overwrites_concurrent_changes(store):
    @async_to_sync
    async def run():
        session = store()
        await session.acreate()
        other = again(session)
        await other.aset("theirs", 1)
        await other.asave()
        await session.aset("ours", 1)
        await session.asave()
        return dict(await again(session).aitems())

    assert run() == {"ours": 1}


def test_aload_reads_the_users_row(store, alice):
    session = sign_in(store, alice)

    @async_to_sync
    async def run():
        return await again(session).aload()

    assert run()["_auth_user_id"] == str(alice.pk)


def test_aclear_expired_clears_what_has_expired(store, session):
    expired = store()
    expired.set_expiry(-1)
    expired.save()

    @async_to_sync
    async def run():
        await store.aclear_expired()

    run()
    assert Session.objects.get().expire_date > timezone.now()


def test_asave_takes_the_user_of_the_row_from_the_data(store, alice):
    session = store()
    set_user(session, alice)

    @async_to_sync
    async def run():
        await session.asave()
        return await session.acreate_model_instance(dict(await session.aitems()))

    assert run().user_id == alice.pk
    assert Session.objects.get().user == alice
