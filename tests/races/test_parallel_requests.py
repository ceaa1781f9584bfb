"""Twenty requests at once beside something that ends or renews their session."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.test import Client

from wagtail_user_sessions.models import Session

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.processes,
    pytest.mark.usefixtures("redis_cache"),
]

PARALLEL = 20
ROUNDS = 5


def request_in_parallel(key, beside):
    """The statuses of requests that change the session, and that of ``beside``."""
    together = threading.Barrier(PARALLEL + 1)

    def visit(number):
        client = Client(raise_request_exception=False)
        client.cookies["sessionid"] = key
        together.wait()
        try:
            if number % 2:
                return client.get(f"/change/?key=k{number}").status_code
            return client.get("/whoami/").status_code
        finally:
            connections.close_all()

    def act():
        together.wait()
        try:
            return beside()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(PARALLEL + 1) as pool:
        visits = [pool.submit(visit, number) for number in range(PARALLEL)]
        action = pool.submit(act)
        return [visit.result() for visit in visits], action.result()


def key_of(client):
    return client.cookies["sessionid"].value


def test_a_change_of_password_beside_them_fails_none(browser, alice):
    passwords = ["secret", *(f"Vq7-rain-{number}" for number in range(ROUNDS))]
    for old, new in itertools.pairwise(passwords):
        client = browser()
        client.post("/login/", {"username": "alice", "password": old})
        form = {"old_password": old, "new_password1": new, "new_password2": new}
        statuses, response = request_in_parallel(
            key_of(client), lambda c=client, f=form: c.post("/password/", f)
        )
        assert set(statuses) <= {200, 302, 400}
        assert response.status_code in {302, 400}


def test_a_rotated_secret_beside_them_fails_none_and_signs_nobody_out(
    browser, alice, settings
):
    client = browser(alice)
    secret = settings.SECRET_KEY
    settings.SECRET_KEY_FALLBACKS = [secret]
    settings.SECRET_KEY = "another secret"
    statuses, _ = request_in_parallel(key_of(client), lambda: None)
    assert set(statuses) <= {200, 302, 400}
    assert alice.session_set.count() == 1


def test_a_revocation_beside_them_fails_none_and_brings_nothing_back(browser, alice):
    for _ in range(ROUNDS):
        client = browser(alice)
        statuses, count = request_in_parallel(
            key_of(client), lambda: alice.session_set.all().revoke()
        )
        assert set(statuses) <= {200, 302, 400}
        assert count == 1
        assert not Session.objects.exclude(user=None).exists()
        assert client.get("/whoami/").content == b"nobody"
        Session.objects.all().delete()
