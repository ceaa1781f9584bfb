import pytest

from tests.backends.stored_sessions import again


@pytest.fixture
def session(store):
    """An anonymous session with data, saved; with ``cached_db``, it has a copy."""
    session = store()
    session.update({"kept": 1, "deleted": 2, "nested": {"list": [1]}})
    session.save()
    for _ in range(2):
        again(session)
    return session
