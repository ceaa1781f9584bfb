"""A Redis of the test's own: stopped, silent, full, evicting, restored and shared.

A user whose session has ended is refused by the next request, whatever Redis does. A
visitor's page that reads may show what is at most ``CACHE_MAX_AGE`` old.
"""

import secrets
import shutil
import time
from types import SimpleNamespace

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection

from tests.cache.entries import change_behind_the_cache, copy_of
from tests.cache.redis_server import RedisServer, Waits, end_pause
from tests.cache.visits import Visit, visit
from tests.conftest import set_user, skip_or_fail
from wagtail_user_sessions.backends import db, keys
from wagtail_user_sessions.backends.cached_db import SessionStore
from wagtail_user_sessions.cache import backend, copies
from wagtail_user_sessions.models import Session

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("engine", ["cached_db"], indirect=True),
    pytest.mark.usefixtures("engine"),
]

SESSIONS = 8
MAX_AGE = 60

TROUBLES = {
    "stopped": lambda server: server.stop(),
    "silent": lambda server: server.silence(),
    "full": lambda server: server.fill(),
    "evicting": lambda server: server.evict(),
    "restored": lambda server: server.restore(),
    "well": lambda server: None,
}
every_trouble = pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
# Those in which no tag can be written.
FAILURES = {name: TROUBLES[name] for name in ("stopped", "silent", "full")}
every_failure = pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)


@pytest.fixture
def server(tmp_path, settings, engine):
    """A Redis that the process reaches without any OPTIONS."""
    if shutil.which("redis-server") is None:
        skip_or_fail("no redis-server on the PATH")
    server = RedisServer(tmp_path)
    before = settings.CACHES
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": server.url,
        }
    }
    settings.WAGTAIL_USER_SESSIONS_CACHE_MAX_AGE = MAX_AGE
    yield server
    server.speak()
    server.stop()
    settings.CACHES = before


@pytest.fixture
def waits(server, monkeypatch):
    return Waits(monkeypatch)


def let_copies_expire(monkeypatch):
    """Move the package's clock by the time for which a copy is believed."""
    later = SimpleNamespace(
        time=lambda: time.time() + MAX_AGE, monotonic=time.monotonic
    )
    monkeypatch.setattr(copies, "time", later)


# Users


@pytest.fixture(params=["keys of sign-ins", "keys of visitors"])
def clients(request, server, browser, alice, monkeypatch):
    """Signed-in clients; a key of a visitor's class costs each page a cache call."""
    if request.param == "keys of visitors":
        monkeypatch.setattr(db, "new_key", lambda **_: keys.new_key(for_sign_in=False))
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


@every_trouble
def test_pages_of_users_answer_whatever_redis_does(
    server, clients, browser, alice, trouble
):
    server.take_snapshot()
    trouble(server)
    assert count_signed_in(clients) == SESSIONS
    assert walk(browser, alice) == WALK


def revoke_sessions_of(alice):
    revoked = alice.session_set.all().revoke()
    assert (revoked, revoked.cache_failed) == (SESSIONS, False)


def sign_everybody_out(alice):
    call_command("revoke_sessions", all=True, verbosity=0)


ROADS = {"revoke()": revoke_sessions_of, "revoke_sessions --all": sign_everybody_out}


@every_trouble
@pytest.mark.parametrize("end", ROADS.values(), ids=ROADS)
def test_revoked_users_are_refused_from_the_next_request_on_whatever_redis_does(
    server, clients, alice, trouble, end, waits
):
    server.take_snapshot()
    trouble(server)
    waits.take()
    end(alice)
    assert waits.take() == (0, 0), "a user's revocation asks no cache"
    for _ in range(2):
        end_pause()
        assert count_signed_in(clients) == 0


@pytest.mark.parametrize("end", ROADS.values(), ids=ROADS)
def test_a_redis_restored_after_a_revocation_admits_no_user(
    server, clients, alice, end
):
    server.take_snapshot()
    end(alice)
    server.restore()
    for _ in range(2):
        assert count_signed_in(clients) == 0


@pytest.mark.parametrize("clients", ["keys of sign-ins"], indirect=True)
def test_pages_of_users_ask_no_cache(clients, browser, alice, waits):
    assert count_signed_in(clients) == SESSIONS
    assert clients[0].get("/change/").content == b"changed"
    assert clients[0].post("/logout/").content == b"bye"
    # A sign-in without a session before it.
    assert browser(alice).get("/whoami/").content == b"alice"
    assert waits.take() == (0, 0)


# Visitors


@pytest.fixture
def visitors(server):
    """Sessions of which Redis has copies."""
    sessions = []
    for _ in range(SESSIONS):
        session = SessionStore()
        session["value"] = 1
        session.save()
        sessions.append(session)
    for session in sessions * 2:
        visit(session)
    assert all(map(copy_of, sessions))
    return sessions


def values(sessions, method="GET"):
    return {visit(session, method) for session in sessions}


def change(session, value=2):
    with Visit(session, "POST") as store:
        store["value"] = value
        store.save()


@every_trouble
def test_pages_of_visitors_show_their_changes_whatever_redis_does(
    server, visitors, trouble
):
    server.take_snapshot()
    trouble(server)
    assert values(visitors) == {1}
    for session in visitors:
        change(session)
    assert values(visitors) == values(visitors, "POST") == {2}


@every_failure
def test_a_revocation_of_visitors_tells_of_a_cache_that_fails(
    server, visitors, failure, caplog
):
    failure(server)
    revoked = Session.objects.all().revoke()
    assert (revoked, revoked.cache_failed) == (SESSIONS, True)
    assert "cache of the sessions has failed" in caplog.text
    assert values(visitors) == {None}


@pytest.mark.parametrize("trouble", ["evicting", "restored", "well"])
def test_a_revocation_of_visitors_tells_the_cache(server, visitors, trouble):
    TROUBLES[trouble](server)
    revoked = Session.objects.all().revoke()
    assert (revoked, revoked.cache_failed) == (SESSIONS, False)
    assert values(visitors) == {None}


def end_visitors(visitors):
    assert Session.objects.all().revoke() == SESSIONS


def change_visitors(visitors):
    for session in visitors:
        change(session)


ACTS = {"ended": (end_visitors, None), "changed": (change_visitors, 2)}


@pytest.mark.parametrize(("act", "value"), ACTS.values(), ids=ACTS)
def test_a_restored_redis_shows_old_visitors_for_no_longer_than_the_max_age(
    server, visitors, act, value, monkeypatch
):
    server.take_snapshot()
    act(visitors)
    assert values(visitors) == {value}
    server.restore()
    # A POST at once, and a GET as soon as the copies of before are too old.
    assert values(visitors, "POST") == {value}
    assert values(visitors) == {1}
    let_copies_expire(monkeypatch)
    assert values(visitors) == {value}


@every_failure
@pytest.mark.parametrize(("act", "value"), ACTS.values(), ids=ACTS)
def test_another_process_shows_old_visitors_for_no_longer_than_the_max_age(
    server, visitors, act, value, failure, monkeypatch
):
    failure(server)
    act(visitors)
    server.speak()
    # Another process has no calls to make up for.
    copies._pending.clear()
    end_pause()
    assert values(visitors, "POST") == {value}
    let_copies_expire(monkeypatch)
    assert values(visitors) == {value}


def test_a_save_under_a_copy_that_was_restored_is_refused_and_not_repeated(
    server, visitors, client
):
    server.take_snapshot()
    end_visitors(visitors)
    server.restore()
    client.cookies[django_settings.SESSION_COOKIE_NAME] = visitors[0].session_key
    statuses = [client.get("/change/").status_code for _ in range(2)]
    assert statuses == [400, 200]


def test_no_old_data_is_believed_while_redis_evicts(server):
    sessions = []
    for _ in range(60):
        session = SessionStore()
        session["value"] = 0
        session["filling"] = secrets.token_hex(4000)
        session.save()
        sessions.append(session)
    server.evict()
    evicted = server.count_evicted()
    for value in (1, 2, 3):
        for session in sessions:
            # Some of the copies that these leave are evicted, and some of the tags.
            visit(session)
            visit(session)
        for session in sessions:
            change(session, value)
            assert visit(session) == value
        assert values(sessions) == {value}
    assert server.count_evicted() - evicted > len(sessions)
    # Nothing had failed, so all was asked of Redis.
    assert not copies._pending
    assert not copies._is_paused()


def test_copies_are_kept_again_once_redis_is_back(server, visitors, statements):
    server.stop()
    assert values(visitors) == {1}
    server.start()
    for _ in range(2):
        values(visitors)
    with statements() as executed:
        assert values(visitors) == {1}
    assert executed.all == []


# A silent Redis: how often one waits


def sign_in_as(browser, session, alice):
    client = browser()
    client.cookies[django_settings.SESSION_COOKIE_NAME] = session.session_key
    credentials = {"username": "alice", "password": "secret"}
    assert client.post("/login/", credentials).content == b"yes"


def get(browser, session, path):
    client = browser()
    client.cookies[django_settings.SESSION_COOKIE_NAME] = session.session_key
    assert client.get(path).status_code == 200


def sign_in_by_hand(browser, session, alice):
    with Visit(session, "POST") as store:
        set_user(store, alice)
        store.save()


STEPS = {
    "a page": lambda browser, session, alice: get(browser, session, "/read/"),
    "a GET that writes": lambda browser, session, alice: get(
        browser, session, "/change/"
    ),
    "a change": lambda browser, session, alice: change(session),
    "a sign-in": sign_in_as,
    "a sign-in by hand": sign_in_by_hand,
    "a revocation": lambda browser, session, alice: Session.objects.all().revoke(),
    "a deletion": lambda browser, session, alice: session.delete(),
    "a new key": lambda browser, session, alice: session.cycle_key(),
}


@pytest.mark.parametrize("has_calls_to_make_up_for", [False, True])
@pytest.mark.parametrize("is_connected", [True, False])
@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_no_more_than_one_call_waits_for_a_silent_redis(
    server,
    visitors,
    browser,
    alice,
    waits,
    step,
    is_connected,
    has_calls_to_make_up_for,
):
    if not is_connected:
        backend.forget()
    server.silence()
    if has_calls_to_make_up_for:
        change(visitors[1])
        assert copies._pending
    waits.take()
    step(browser, visitors[0], alice)
    _, timed_out = waits.take()
    assert timed_out == 1


def test_after_one_wait_in_vain_nobody_waits(server, visitors, browser, alice, waits):
    server.silence()
    waits.take()
    visit(visitors[0])
    assert waits.timed_out == 1
    sent = waits.sent
    change(visitors[0])
    sign_in_as(browser, visitors[1], alice)
    assert Session.objects.all().revoke().cache_failed
    assert values(visitors) == {None}
    assert (waits.sent, waits.timed_out) == (sent, 1)


def test_the_package_gives_up_a_silent_redis_after_half_a_second(server):
    pool = copies.get_session_cache()._cache.get_client().connection_pool
    made = pool.make_connection()
    assert (made.socket_timeout, made.socket_connect_timeout) == (0.5, 0.5)


# Two sites on one Redis

PLACES = {
    "schemas": lambda patch, name: patch.setattr(
        connection, "schema_name", name, raising=False
    ),
    "databases": lambda patch, name: patch.setitem(
        connection.settings_dict, "NAME", name
    ),
}


@pytest.mark.parametrize("move_to", PLACES.values(), ids=PLACES)
def test_two_tenants_on_one_redis_never_see_one_anothers_data(
    visitors, move_to, statements, monkeypatch
):
    """The row of the same key stands for the one that another tenant has."""
    session = visitors[0]
    with monkeypatch.context() as patch:
        move_to(patch, "another")
        change_behind_the_cache(session, value="of another")
        for _ in range(3):
            assert visit(session) == "of another"
        with statements() as made:
            assert visit(session) == "of another"
        assert made.all == []
        # A purge in one place leaves the copies of the other alone.
        change(session, "changed")
        assert visit(session) == "changed"
    with statements() as made:
        assert visit(session) == 1
    assert made.all == []
