"""The promises of the package, each as a whole; other tests have the details."""

import logging
import math

import pytest
from django.contrib.sessions.backends.base import VALID_KEY_CHARS, UpdateError
from django.core.cache import caches
from django.db import OperationalError, connection
from django.test import Client

from tests.conftest import set_user, sign_in
from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.models import Session

pytestmark = pytest.mark.django_db(transaction=True)

COOKIE = "sessionid"


def again(session):
    other = type(session)(session.session_key)
    other.keys()
    return other


def everything_stored():
    """Yield all values of the table and all names and values of the cache, as text."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {Session._meta.db_table}")
        values = [value for row in cursor.fetchall() for value in row]
    entries = caches["default"]._cache.items()
    values += [text for name, value in entries for text in (name, value)]
    for value in values:
        if isinstance(value, memoryview | bytes):
            yield bytes(value).decode("latin-1")
            yield bytes(value).hex()
        else:
            yield str(value)


def test_a_stolen_copy_of_table_and_cache_contains_no_usable_cookie(
    browser, alice, store
):
    client, visitor = browser(alice), browser()
    visitor.get("/change/?to=secret")
    for _ in range(2):
        client.get("/whoami/")
        assert visitor.get("/read/").content == b"secret"
    # A tag and a copy of the visitor's session.
    assert len(caches["default"]._cache) == (2 if store.keeps_copies else 0)
    stolen = list(everything_stored())
    keys = [each.cookies[COOKIE].value for each in (client, visitor)]
    assert stolen
    assert not any(key in text for key in keys for text in stolen)
    thief = Client()
    for text in stolen:
        thief.cookies[COOKIE] = text[:200]
        assert thief.get("/whoami/").content == b"nobody"
        thief.cookies[COOKIE] = text[:200]
        assert thief.get("/read/").content == b"nothing"


def test_no_page_url_header_or_log_line_contains_a_session_key_but_the_cookie(
    browser, alice, caplog
):
    caplog.set_level(logging.DEBUG)
    client = browser(alice)
    seen, keys = [], {client.cookies[COOKIE].value}
    for path in ("/whoami/", "/keys/", "/change/", "/read/", "/devices/"):
        response = client.get(path)
        keys.add(client.cookies[COOKIE].value)
        seen += [response.content.decode(), str(response.headers)]
    row = alice.session_set.get()
    seen += [str(row), repr(row), str(vars(row)), repr(row.get_decoded())]
    client.post("/logout/")
    seen.append(caplog.text)
    assert not [key for key in keys for text in seen if key and key in text]


@pytest.mark.parametrize("is_signed_in", [False, True])
def test_keys_are_of_164_random_bits_in_djangos_characters(store, alice, is_signed_in):
    keys = set()
    for _ in range(200):
        session = store()
        if is_signed_in:
            set_user(session, alice)
        session.create()
        keys.add(session.session_key)
    assert len(keys) == 200
    assert {len(key) for key in keys} == {32}
    firsts = {key[0] for key in keys}
    others = set("".join(key[1:] for key in keys))
    assert len(firsts) == 18
    assert others == set(VALID_KEY_CHARS)
    assert firsts <= others
    assert int(math.log2(len(firsts) * len(others) ** 31)) == 164


def test_a_revoked_session_is_refused_by_the_next_request(browser, alice):
    client = browser(alice)
    for _ in range(3):
        assert client.get("/whoami/").content == b"alice"
    alice.session_set.all().delete()
    assert client.get("/whoami/").content == b"nobody"


def test_a_late_save_never_revives_a_session_that_was_ended(store, alice):
    session = sign_in(store, alice)
    late = again(session)
    alice.session_set.all().revoke()
    late["late"] = 1
    for save in (late.save, late.cycle_key, late.save):
        with pytest.raises(UpdateError):
            save()
    assert not Session.objects.exists()


def test_two_requests_keep_their_changes_and_two_users_data_never_mix(
    store, alice, bob
):
    session = sign_in(store, alice)
    one, other, stranger = again(session), again(session), again(session)
    one["one"], other["other"] = 1, 1
    one.save()
    other.save()
    assert {"one", "other"} <= set(again(session).keys())
    set_user(stranger, bob)
    stranger["of bob"] = 1
    stranger.save()
    data = again(session)
    assert "of bob" in data
    assert not {"one", "other"} & set(data.keys())
    assert Session.objects.get().user == bob


def test_with_the_cache_gone_pages_answer_and_revocation_works(
    browser, alice, store, monkeypatch, caplog
):
    def gone():
        raise ConnectionError

    client, visitor = browser(alice), browser()
    visitor.get("/change/")
    for _ in range(2):
        client.get("/whoami/")
        visitor.get("/read/")
    monkeypatch.setattr(copies, "get_session_cache", gone)
    assert client.get("/whoami/").content == b"alice"
    assert visitor.get("/read/").content == b"changed"
    revoked = alice.session_set.all().revoke()
    assert (revoked, revoked.cache_failed) == (1, False)
    assert client.get("/whoami/").content == b"nobody"
    revoked = Session.objects.filter(user=None).revoke()
    assert (revoked, revoked.cache_failed) == (1, store.keeps_copies)
    assert visitor.get("/read/").content == b"nothing"


def test_with_the_database_gone_nobody_is_admitted(browser, alice, monkeypatch):
    def gone(*args, **kwargs):
        raise OperationalError("the database is gone")

    client = browser(alice)
    for _ in range(3):
        client.get("/whoami/")
    with connection.execute_wrapper(gone):
        response = client.get("/whoami/")
    assert response.status_code == 500
    assert b"alice" not in response.content


@pytest.mark.parametrize("name", ["HTTP_USER_AGENT", "REMOTE_ADDR", "HTTP_COOKIE"])
@pytest.mark.parametrize("value", ["", "\x00", "\xff\xfe", "🦊" * 300, "a" * 100_000])
def test_nothing_that_a_client_sends_fails_a_request_or_a_row(
    browser, alice, name, value
):
    client = browser(alice)
    # A server hands the bytes of a header over as Latin-1.
    sent = value.encode().decode("latin-1")
    if name == "HTTP_COOKIE":
        client.cookies[COOKIE] = sent
        assert client.get("/whoami/").status_code == 200
    assert client.get("/whoami/", **{name: sent}).status_code == 200
    rows = list(Session.objects.all())
    assert all(row.device_label and str(row) for row in rows)
