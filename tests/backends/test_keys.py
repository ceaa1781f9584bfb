"""Session keys, and the two classes of them."""

from itertools import count

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import login
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.http import HttpRequest

from tests.conftest import set_user, sign_in
from wagtail_user_sessions.backends.keys import (
    FOR_SIGN_IN,
    FOR_VISITOR,
    LENGTH,
    is_made_for_sign_in,
    new_key,
)
from wagtail_user_sessions.models import Session

pytestmark = pytest.mark.django_db(transaction=True)

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


def test_the_two_classes_are_disjoint_halves_of_djangos_characters():
    assert len(FOR_SIGN_IN) == len(FOR_VISITOR) == 18
    assert {*FOR_SIGN_IN, *FOR_VISITOR} == set(VALID_KEY_CHARS)


@pytest.mark.parametrize(
    ("for_sign_in", "firsts"), [(True, FOR_SIGN_IN), (False, FOR_VISITOR)]
)
def test_a_new_key_has_32_characters_the_first_one_of_its_class(for_sign_in, firsts):
    keys = [new_key(for_sign_in=for_sign_in) for _ in range(2000)]
    assert len(set(keys)) == len(keys)
    assert {len(key) for key in keys} == {LENGTH} == {32}
    first, *others = (set(column) for column in zip(*keys, strict=True))
    assert first == set(firsts)
    assert all(characters == set(VALID_KEY_CHARS) for characters in others)
    assert {is_made_for_sign_in(key) for key in keys} == {for_sign_in}


@pytest.mark.parametrize("length", [0, 1, 31, 33, 40])
def test_a_key_of_another_length_counts_as_a_visitors(length):
    assert not is_made_for_sign_in(FOR_SIGN_IN[0] * length)


@pytest.mark.parametrize("first", ["A", "-", "ÿ", "\x00", " "])
def test_a_key_that_begins_with_another_character_counts_as_a_visitors(first):
    assert not is_made_for_sign_in(first + "a" * 31)


def test_create_makes_a_visitors_key(store):
    session = store()
    session["value"] = 1
    session.save()
    assert not is_made_for_sign_in(session.session_key)


def test_create_with_a_sign_in_makes_a_key_for_it(store, alice):
    assert is_made_for_sign_in(sign_in(store, alice).session_key)


@pytest.mark.parametrize("is_saved", [False, True])
def test_cycle_key_makes_a_key_for_a_sign_in(store, is_saved):
    session = store()
    if is_saved:
        session["value"] = 1
        session.save()
    session.cycle_key()
    assert is_made_for_sign_in(session.session_key)


def test_a_session_after_a_flush_has_a_visitors_key(store, alice):
    session = sign_in(store, alice)
    session.flush()
    session["value"] = 1
    session.save()
    assert not is_made_for_sign_in(session.session_key)


@pytest.fixture
def own(store):
    """A site's own engine, which makes keys of its own."""
    numbers = count()

    class OwnStore(store):
        def _get_new_session_key(self):
            return f"key-of-the-site-{next(numbers)}"

    return OwnStore


def test_create_takes_the_sites_key(own):
    session = own()
    session["value"] = 1
    session.save()
    assert session.session_key == "key-of-the-site-0"
    assert Session.objects.for_key("key-of-the-site-0").exists()


def test_create_tries_the_next_key_where_one_is_in_use(own):
    used = own("key-of-the-site-0")
    used["value"] = 1
    used.save(must_create=True)
    session = own()
    session.create()
    assert session.session_key == "key-of-the-site-1"
    assert own("key-of-the-site-0")["value"] == 1


def test_cycle_key_takes_the_sites_key(own, alice):
    session = sign_in(own, alice, value=1)
    session.cycle_key()
    assert session.session_key == "key-of-the-site-1"
    assert not own().exists("key-of-the-site-0")
    assert own("key-of-the-site-1")["value"] == 1


def test_a_first_sign_in_takes_the_sites_key(own, alice):
    request = HttpRequest()
    request.session = own()
    login(request, alice, MODEL_BACKEND)
    request.session.save()
    assert request.session.session_key == "key-of-the-site-0"
    assert alice.session_set.for_key("key-of-the-site-0").exists()


def test_acreate_and_acycle_key_take_the_sites_key(own, alice):
    session = own()
    set_user(session, alice)

    @async_to_sync
    async def run():
        await session.acreate()
        made = session.session_key
        await session.acycle_key()
        return made, session.session_key

    assert run() == ("key-of-the-site-0", "key-of-the-site-1")
