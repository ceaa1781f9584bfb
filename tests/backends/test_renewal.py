"""Requests that renew the key of the same sign-in at once, as with a new secret."""

import pytest
from django.contrib.auth import HASH_SESSION_KEY, get_user
from django.db import DatabaseError, connection
from django.http import HttpRequest
from django.utils import timezone

from tests.backends.stored_sessions import again
from tests.conftest import set_user, sign_in
from wagtail_user_sessions.exceptions import SessionRefused
from wagtail_user_sessions.models import Session
from wagtail_user_sessions.sessions.not_before import set_not_before

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def session(store, alice, settings):
    """A session of Alice's whose auth hash is of a secret that was rotated since."""
    session = sign_in(store, alice, kept=1)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret"
    return session


def request_of(session):
    """A request that has read the session, and not yet its user."""
    request = HttpRequest()
    request.session = again(session)
    request.session.keys()
    return request


@pytest.fixture
def requests(session):
    return [request_of(session) for _ in range(3)]


def test_each_request_is_let_in_and_all_changes_are_kept(requests, alice):
    for request in requests:
        assert get_user(request) == alice
    for number, request in enumerate(reversed(requests)):
        request.session[f"k{number}"] = number
        request.session.save()
    winner, *losers = (request.session for request in requests)
    assert [one.is_key_replaced for one in (winner, *losers)] == [False, True, True]
    data = dict(again(winner).items())
    assert [data[name] for name in ("kept", "k0", "k1", "k2")] == [1, 0, 1, 2]
    assert data[HASH_SESSION_KEY] == alice.get_session_auth_hash()
    assert alice.session_set.count() == 1


def test_the_losers_know_their_session(requests, alice):
    for request in requests:
        get_user(request)
    loser = requests[1].session
    assert loser.id == requests[0].session.id
    assert loser.exists(loser.session_key)
    assert loser.load()["kept"] == 1


def test_a_loser_that_renews_once_more_leaves_the_winner_its_key(requests, alice):
    for request in requests[:2]:
        get_user(request)
    winner, loser = (request.session for request in requests[:2])
    loser.cycle_key()
    loser["k"] = 1
    loser.save()
    winner.save()
    assert again(winner)["k"] == 1


def test_a_loser_saves_after_another_renewal_as_well(requests, alice):
    for request in requests[:2]:
        get_user(request)
    winner, loser = (request.session for request in requests[:2])
    winner.save()
    newer = again(winner)
    newer.cycle_key()
    newer.save()
    loser["k"] = 1
    loser.save()
    assert again(newer)["k"] == 1


def test_a_loser_that_signs_in_has_a_key_of_its_own(requests, alice):
    for request in requests[:2]:
        get_user(request)
    requests[0].session.save()
    loser = requests[1].session
    loser.mark_signed_in()
    loser.save()
    assert not loser.is_key_replaced
    assert again(loser)["kept"] == 1


def test_a_sign_out_by_a_loser_ends_the_session(requests, alice):
    for request in requests[:2]:
        get_user(request)
    requests[1].session.flush()
    assert not alice.session_set.exists()


def test_a_loser_is_refused_where_the_session_has_ended(requests, alice):
    get_user(requests[0])
    alice.session_set.all().delete()
    with pytest.raises(SessionRefused):
        get_user(requests[1])
    assert not Session.objects.exists()


def test_a_loser_whose_session_ends_later_is_refused_its_save(requests, alice):
    for request in requests[:2]:
        get_user(request)
    alice.session_set.all().delete()
    requests[1].session["late"] = 1
    with pytest.raises(SessionRefused):
        requests[1].session.save()
    assert not Session.objects.exists()


def test_a_loser_is_refused_beside_another_user(requests, bob):
    winner = requests[0].session
    winner.cycle_key()
    set_user(winner, bob)
    winner.save()
    with pytest.raises(SessionRefused):
        get_user(requests[1])


def test_a_loser_is_refused_beside_a_new_sign_in_of_the_user(requests, alice):
    winner = requests[0].session
    winner.mark_signed_in()
    winner.save()
    with pytest.raises(SessionRefused):
        get_user(requests[1])


def test_a_loser_is_refused_beside_a_new_sign_in_that_is_not_saved_yet(requests):
    get_user(requests[0])
    requests[0].session.mark_signed_in()
    with pytest.raises(SessionRefused):
        get_user(requests[1])


def test_a_loser_that_has_become_another_user_is_refused(requests, bob):
    requests[0].session.cycle_key()
    set_user(requests[1].session, bob)
    with pytest.raises(SessionRefused):
        requests[1].session.cycle_key()
    assert not bob.session_set.exists()


def test_a_loser_is_refused_after_a_sign_out_of_everybody(requests):
    get_user(requests[0])
    set_not_before(Session(), "default", until=timezone.now(), spared=())
    with pytest.raises(SessionRefused):
        get_user(requests[1])


def test_an_error_of_the_database_refuses_a_loser(requests):
    get_user(requests[0])

    def fail(execute, sql, *args):
        if sql.startswith("SELECT"):
            raise DatabaseError("gone")
        return execute(sql, *args)

    with connection.execute_wrapper(fail), pytest.raises(SessionRefused):
        requests[1].session.cycle_key()


def test_a_sign_in_that_loses_is_refused(requests, alice):
    get_user(requests[0])
    with pytest.raises(SessionRefused):
        requests[1].session.mark_signed_in()


@pytest.mark.parametrize(
    "change",
    [
        {"is_active": False},
        {"password": "another"},
    ],
)
def test_a_loser_is_refused_whose_user_may_no_longer_sign_in(
    requests, alice, change, django_user_model
):
    get_user(requests[0])
    django_user_model.objects.update(**change)
    with pytest.raises(SessionRefused):
        requests[1].session.cycle_key()


def test_a_loser_of_a_session_that_has_expired_is_refused(requests):
    get_user(requests[0])
    Session.objects.update(expire_date=timezone.now())
    with pytest.raises(SessionRefused):
        get_user(requests[1])


def test_a_save_of_a_request_that_renewed_nothing_is_refused(requests, alice):
    get_user(requests[0])
    requests[0].session.save()
    late = requests[1].session
    late["late"] = 1
    with pytest.raises(SessionRefused):
        late.save()
