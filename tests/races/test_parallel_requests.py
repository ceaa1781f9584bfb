"""Twenty parallel requests beside an action that ends or renews their session."""

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


def request_in_parallel(key, beside, *, change="/change/"):
    """Return the statuses of the requests, and what ``beside()`` returns."""
    start = threading.Barrier(PARALLEL + 1)

    def visit(number):
        client = Client(raise_request_exception=False)
        client.cookies["sessionid"] = key
        start.wait()
        try:
            if number % 2:
                return client.get(f"{change}?key=k{number}").status_code
            return client.get("/whoami/").status_code
        finally:
            connections.close_all()

    def act():
        start.wait()
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


def test_parallel_requests_beside_a_change_of_password_never_fail(browser, alice):
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


def test_parallel_requests_with_a_rotated_secret_never_fail_and_sign_nobody_out(
    browser, alice, settings
):
    client = browser(alice)
    secret = settings.SECRET_KEY
    settings.SECRET_KEY_FALLBACKS = [secret]
    settings.SECRET_KEY = "another secret"
    statuses, _ = request_in_parallel(
        key_of(client), lambda: None, change="/change-as-user/"
    )
    # Each reads its user, and so renews the key: all are let in, or come too late.
    assert set(statuses) == {200}
    row = alice.session_set.get()
    changes = [name for name in row.get_decoded() if name.startswith("k")]
    visitors = Session.objects.filter(user=None).count()
    assert len(changes) + visitors == PARALLEL // 2


def test_parallel_requests_beside_a_revocation_never_fail_and_revive_no_session(
    browser, alice
):
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
