"""Caches with a serializer of the site's own."""

import json

import pytest
from django.core.cache import caches

from tests.cache.entries import names
from tests.cache.visits import visit

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("engine", ["cached_db"], indirect=True),
    pytest.mark.usefixtures("engine"),
]


class JSONSerializer:
    def dumps(self, value):
        return json.dumps(value).encode()

    def loads(self, data):
        return json.loads(data)


class TextSerializer:
    """Takes nothing but text, and says so."""

    def dumps(self, value):
        if not isinstance(value, str):
            raise TypeError(f"{type(value).__name__} is no text")
        return value.encode()

    def loads(self, data):
        return data.decode()


@pytest.fixture
def serialized(request, settings, redis_cache):
    """The cache with the serializer of the parameter."""
    settings.CACHES = {
        "default": {
            **settings.CACHES["default"],
            "OPTIONS": {"serializer": request.param},
        }
    }


@pytest.mark.parametrize("serialized", [JSONSerializer], indirect=True)
def test_a_copy_is_believed_whatever_the_serializer(
    serialized, copied, statements, caplog
):
    with statements() as made:
        assert visit(copied) == 1
    assert made.all == []
    assert caplog.records == []


@pytest.mark.parametrize("serialized", [JSONSerializer], indirect=True)
def test_entries_of_another_serializer_are_replaced(
    serialized, session, statements, caplog
):
    entries = caches["default"]
    server = entries._cache.get_client(write=True)
    visit(session)
    visit(session)
    for name in names(session):
        server.set(entries.make_key(name), b"\x80\x04not JSON")
    assert [visit(session) for _ in range(3)] == [1, 1, 1]
    with statements() as made:
        assert visit(session) == 1
    assert made.all == []
    assert caplog.records == []


@pytest.mark.parametrize("serialized", [TextSerializer], indirect=True)
def test_a_serializer_that_takes_no_copy_is_told_of_without_a_traceback(
    serialized, session, statements, caplog
):
    with statements() as made:
        for _ in range(3):
            assert visit(session) == 1
    assert made.verbs == ["SELECT"] * 3
    (record,) = caplog.records
    assert "int is no text" in record.getMessage()
    assert not record.exc_info
