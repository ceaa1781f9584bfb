"""Test clients: their cookies, addresses and user agents."""

from asgiref.sync import async_to_sync
from django.conf import settings
from django.test import AsyncClient

from tests.conftest import CHROME

COOKIE = settings.SESSION_COOKIE_NAME
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1"
)


class AsyncBrowser(AsyncClient):
    """Django's asynchronous client, from any address."""

    ip = "192.0.2.1"

    def _base_scope(self, **request):
        return {**super()._base_scope(**request), "client": [self.ip, 0]}


def come_from(client, *, ip=None, agent=None):
    client.defaults["REMOTE_ADDR"] = ip or client.defaults["REMOTE_ADDR"]
    client.defaults["HTTP_USER_AGENT"] = agent or CHROME


def use_cookie(client, value):
    client.cookies[COOKIE] = value


def warm_cache(client):
    """Make two requests of a visitor: the first adds a tag, and the next one a copy."""
    for _ in range(2):
        client.get("/read/")


def visit_async(client):
    """Request an asynchronous view with a client of Alice's."""
    assert async_to_sync(client.get)("/awhoami/").content == b"alice"
