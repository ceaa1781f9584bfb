"""Signatures of session data, made or checked once for the same text."""

import pickle
from secrets import token_hex

import pytest
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.serializers import JSONSerializer
from django.core import signing as django_signing

from wagtail_user_sessions.backends import signing

pytestmark = pytest.mark.django_db


class PickleSerializer:
    dumps = staticmethod(pickle.dumps)
    loads = staticmethod(pickle.loads)


@pytest.fixture(autouse=True)
def no_known_texts():
    signing.clear()


@pytest.fixture
def checks(monkeypatch):
    """Counts how often a signature is checked."""
    made = []
    real = django_signing.loads
    monkeypatch.setattr(
        django_signing,
        "loads",
        lambda *args, **kw: made.append(args) or real(*args, **kw),
    )
    return made


def signed(session, data):
    """Return the text of the data as another process signs it."""
    return django_signing.dumps(data, salt=session.key_salt, compress=True)


def test_the_same_text_is_checked_once_and_deserialized_each_time(store, checks):
    session = store()
    text = signed(session, {"list": [1]})
    first = session.decode(text)
    first["list"].append(2)
    assert session.decode(text) == {"list": [1]}
    assert len(checks) == 1


def test_text_of_this_process_is_not_checked_and_is_signed_as_django_does(
    store, checks
):
    session = store()
    data = {"list": [1], "long": "x" * 500}
    text = session.encode(data)
    assert session.decode(text) == data
    assert checks == []
    assert SessionBase.decode(session, text) == data
    assert SessionBase.encode(session, data).split(":")[0] == text.split(":")[0]


def test_encode_and_decode_use_a_serializer_of_the_site(store):
    session = store()
    session.serializer = PickleSerializer
    assert session.decode(session.encode({"a": {1, 2}})) == {"a": {1, 2}}


def test_all_texts_are_dropped_when_there_are_too_many(store, checks, monkeypatch):
    monkeypatch.setattr(signing, "KEPT", 2)
    session = store()
    first, second, third = (signed(session, {"a": number}) for number in range(3))
    for text in (first, second, third, third, first, first):
        session.decode(text)
        assert len(signing._known) <= 2
    assert len(checks) == 4


def test_a_text_that_was_signed_with_another_salt_is_refused(store):
    session = store()
    text = session.encode({"a": 1})
    assert signing.unsign(text, salt=session.key_salt) == b'{"a":1}'
    with pytest.raises(django_signing.BadSignature):
        signing.unsign(text, salt="another")


def test_data_that_changes_during_encode_is_decoded_as_it_was_signed(store):
    session = store()
    data = {"a": 1}

    class Changing(JSONSerializer):
        def dumps(self, obj):
            serialized = super().dumps(obj)
            data["a"] = 2
            return serialized

    session.serializer = Changing
    text = session.encode(data)
    assert session.decode(text) == {"a": 1}
    assert django_signing.loads(text, salt=session.key_salt) == {"a": 1}


class Reversing(SessionBase):
    def encode(self, session_dict):
        return super().encode(session_dict)[::-1]

    def decode(self, session_data):
        return super().decode(session_data[::-1])


def test_encode_and_decode_call_a_mixin_behind_the_engine(store):
    session = type("SitesOwn", (store, Reversing), {})()
    text = session.encode({"a": 1})
    assert django_signing.loads(text[::-1], salt=session.key_salt) == {"a": 1}
    signing.clear()
    assert session.decode(text) == {"a": 1}


def test_a_text_with_another_signature_is_refused_each_time(store, checks):
    session = store()
    text = session.encode({"a": 1})
    assert session.decode(text) == {"a": 1}
    assert session.decode(f"{text[:-1]}{'a' if text[-1] != 'a' else 'b'}") == {}
    assert session.decode("") == {}
    assert session.decode("x") == {}


def test_a_changed_secret_key_is_respected_at_once(store, settings):
    session = store()
    text = session.encode({"a": 1})
    assert session.decode(text) == {"a": 1}
    settings.SECRET_KEY = "another"
    assert session.decode(text) == {}


def test_long_texts_are_not_kept(store, checks):
    session = store()
    data = {"a": token_hex(5000)}
    text = session.encode(data)
    assert len(text) > signing.LENGTH
    for _ in range(2):
        assert session.decode(text) == data
    assert len(checks) == 2


def test_short_texts_of_long_data_are_not_kept(store, checks):
    session = store()
    data = {"a": "x" * 100_000}
    text = session.encode(data)
    assert len(text) < signing.LENGTH
    for _ in range(2):
        assert session.decode(text) == data
    assert len(checks) == 2
