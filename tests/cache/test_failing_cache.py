"""A cache whose calls fail: what is read, what pauses, and what is made up for."""

import pytest
from django.core.cache import cache, caches
from django.core.cache.backends.base import InvalidCacheBackendError

from tests.cache.entries import Recorder, copy_of, names
from tests.cache.visits import visit
from tests.conftest import sign_in
from wagtail_user_sessions.backends.cached_db import SessionStore
from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.models import Session

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("engine", ["cached_db"], indirect=True),
    pytest.mark.usefixtures("engine"),
]


def fail(*args, **kwargs):
    raise ConnectionError("no cache")


@pytest.fixture
def outage(monkeypatch):
    """Makes all calls of the cache fail, and counts them."""
    calls = []

    def start():
        for name in Recorder.NAMES:
            monkeypatch.setattr(
                caches["default"], name, lambda *a, **k: calls.append(1) or fail()
            )
        return calls

    yield start
    copies._pending.clear()


def test_without_the_cache_rows_are_read_from_the_database(copied, outage, caplog):
    outage()
    assert visit(copied) == 1
    assert "cache of the sessions has failed" in caplog.text


def test_after_a_failure_all_calls_pause(copied, outage):
    calls = outage()
    visit(copied)
    visit(copied)
    store = SessionStore(copied.session_key)
    store["value"] = 2
    store.save()
    store.delete()
    assert len(calls) == 1


def test_calls_that_failed_are_made_when_the_pause_ends(copied, outage, monkeypatch):
    with monkeypatch.context() as patched:
        for name in Recorder.NAMES:
            patched.setattr(caches["default"], name, fail)
        store = SessionStore(copied.session_key)
        store["value"] = 2
        store.save()
        assert visit(copied) == 2
    # The copy of before is still there, under its tag.
    before = copy_of(copied)
    assert before["tag"] == cache.get(names(copied).tag)
    copies._paused_until = 0.0
    assert visit(copied) == 2
    assert not copies._pending
    # The visit has purged it, and offered a copy of the new value under the new tag.
    after = copy_of(copied)
    assert after["version"] != before["version"]
    assert after["tag"] == cache.get(names(copied).tag) != before["tag"]


def test_no_more_calls_are_kept_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(copies, "MAX_PENDING", 3)
    copies._keep({f"tag{number}": f"copy{number}" for number in range(5)})
    assert list(copies._pending) == ["tag2", "tag3", "tag4"]
    copies._pending.clear()


def test_a_cache_that_takes_only_some_of_the_tags_has_failed(copied, monkeypatch):
    monkeypatch.setattr(caches["default"], "set_many", lambda data, timeout: [*data])
    assert Session.objects.all().revoke().cache_failed
    copies._pending.clear()


def test_revoke_says_of_visitors_that_the_cache_did_not_answer(copied, outage):
    outage()
    revoked = Session.objects.all().revoke()
    assert (revoked, revoked.cache_failed) == (1, True)


def test_revoke_of_users_asks_no_cache(alice, outage):
    sign_in(SessionStore, alice)
    calls = outage()
    revoked = alice.session_set.all().revoke()
    assert (revoked, revoked.cache_failed) == (1, False)
    assert calls == []


def test_a_cache_that_cannot_be_written_to_harms_no_save(copied, outage):
    outage()
    store = SessionStore(copied.session_key)
    store["value"] = 2
    store.save()
    assert SessionStore(copied.session_key)["value"] == 2


def test_an_alias_that_is_not_configured_is_told_at_once(settings):
    settings.SESSION_CACHE_ALIAS = "no such cache"
    with pytest.raises(InvalidCacheBackendError):
        SessionStore()


def test_a_slow_call_pauses_the_others_though_it_answers(copied, monkeypatch):
    monkeypatch.setattr(copies, "SLOW_CALL", -1)
    calls = Recorder(monkeypatch).calls
    for _ in range(3):
        assert visit(copied) == 1
    assert calls == ["get_many copy+tag"]


def test_purges_are_made_up_for_a_number_at_a_time(copied, monkeypatch):
    monkeypatch.setattr(copies, "MAX_AT_ONCE", 2)
    copies._keep({f"tag{number}": f"copy{number}" for number in range(5)})
    sizes = []
    real = caches["default"].set_many
    monkeypatch.setattr(
        caches["default"],
        "set_many",
        lambda data, timeout: sizes.append(len(data)) or real(data, timeout),
    )
    for _ in range(4):
        assert visit(copied) == 1
    assert sizes == [2, 2, 1]
    assert not copies._pending


def test_a_purge_that_is_broken_off_is_not_lost(copied, monkeypatch):
    copies._keep({"tag": "copy"})

    def stop(*args, **kwargs):
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(caches["default"], "set_many", stop)
        with pytest.raises(SystemExit):
            visit(copied)
    assert copies._pending == {"tag": "copy"}


def test_a_backend_whose_set_many_answers_nothing_has_not_failed(copied, monkeypatch):
    real = caches["default"].set_many
    monkeypatch.setattr(
        caches["default"], "set_many", lambda *args, **kw: real(*args, **kw) and None
    )
    assert not Session.objects.all().revoke().cache_failed
