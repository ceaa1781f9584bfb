"""Signatures of session data, which are checked once for the same text."""

import pytest
from django.core import signing

from wagtail_user_sessions.backends import signatures

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def forget():
    signatures.forget()


@pytest.fixture
def checks(monkeypatch):
    """Counts how often a signature is checked."""
    made = []
    real = signing.loads
    monkeypatch.setattr(
        signing, "loads", lambda *args, **kw: made.append(args) or real(*args, **kw)
    )
    return made


def test_the_same_text_is_checked_once_and_read_anew_each_time(store, checks):
    session = store()
    text = session.encode({"list": [1]})
    first = session.decode(text)
    first["list"].append(2)
    assert session.decode(text) == {"list": [1]}
    assert len(checks) == 1


def test_a_text_with_another_signature_is_refused_each_time(store, checks):
    session = store()
    text = session.encode({"a": 1})
    assert session.decode(text) == {"a": 1}
    assert session.decode(f"{text[:-1]}{'a' if text[-1] != 'a' else 'b'}") == {}
    assert session.decode("") == {}
    assert session.decode("x") == {}


def test_another_secret_is_heard_of_at_once(store, settings):
    session = store()
    text = session.encode({"a": 1})
    assert session.decode(text) == {"a": 1}
    settings.SECRET_KEY = "another"
    assert session.decode(text) == {}


def test_long_texts_are_not_kept(store, checks):
    session = store()
    text = signing.dumps({"a": "x" * 5000}, salt=session.key_salt)
    for _ in range(2):
        assert session.decode(text) == {"a": "x" * 5000}
    assert len(checks) == 2
    assert signatures._unsign_once.cache_info().currsize == 0


def test_what_a_short_text_unpacks_to_is_not_kept(store, checks):
    session = store()
    data = {"a": "x" * 100_000}
    text = signing.dumps(data, salt=session.key_salt, compress=True)
    assert len(text) < signatures.LENGTH
    for _ in range(2):
        assert session.decode(text) == data
    assert len(checks) == 2
    assert signatures._unsign_once.cache_info().currsize == 0
