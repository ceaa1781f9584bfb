import pytest

from tests import geoip_database
from tests.conftest import CHROME
from tests.middleware.clients import COOKIE, AsyncBrowser
from wagtail_user_sessions.signals import session_client_changed


@pytest.fixture
def places(settings, tmp_path):
    """A GeoIP database with the cities of the test addresses."""
    settings.GEOIP_PATH = geoip_database.write(tmp_path / "places.mmdb")


@pytest.fixture
def updates(statements):
    """The UPDATE statements of a block, by ``with updates() as made``."""

    class Updates(statements):
        def __len__(self):
            return len(list(iter(self)))

        def __iter__(self):
            return (sql for sql in self.all if sql.startswith("UPDATE"))

    return Updates


@pytest.fixture
def changes():
    """The arguments of each ``session_client_changed``: session and previous values."""
    sent = []

    def receive(session, previous, **kwargs):
        sent.append((session, previous))

    session_client_changed.connect(receive)
    yield sent
    session_client_changed.disconnect(receive)


@pytest.fixture
def asynchronous(browser, alice):
    """An asynchronous client with the cookie of a signed-in browser."""
    cookie = browser(alice).cookies[COOKIE].value
    client = AsyncBrowser(**{"user-agent": CHROME})
    client.cookies[COOKIE] = cookie
    return client
