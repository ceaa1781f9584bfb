import pytest

from tests.cache.entries import Recorder
from tests.cache.visits import visit
from wagtail_user_sessions.backends.cached_db import SessionStore


@pytest.fixture
def calls(session, monkeypatch):
    return Recorder(monkeypatch).calls


@pytest.fixture
def session(engine):
    """A visitor's session with one value."""
    session = SessionStore()
    session["value"] = 1
    session.save()
    return session


@pytest.fixture
def copied(session):
    """A visitor's session of which the cache has a copy."""
    for _ in range(2):
        visit(session)
    return session
