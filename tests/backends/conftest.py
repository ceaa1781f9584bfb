import pytest


@pytest.fixture
def session(store):
    """An anonymous session with data, saved."""
    session = store()
    session.update({"kept": 1, "deleted": 2, "nested": {"list": [1]}})
    session.save()
    return session
