"""Stores that code of a site puts on the request, or makes beside it."""

import asyncio
import copy
import threading

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth import alogin, login
from django.contrib.sessions.backends import signed_cookies
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from tests.conftest import CHROME
from tests.middleware.clients import COOKIE, IPHONE, come_from
from tests.middleware.rows import pass_an_interval, row
from wagtail_user_sessions.backends import request_context
from wagtail_user_sessions.client.scope import from_scope
from wagtail_user_sessions.middleware import SessionMiddleware
from wagtail_user_sessions.models import Session
from wagtail_user_sessions.signals import session_started

pytestmark = pytest.mark.django_db(transaction=True)

IP = "198.51.100.9"


def serve(view, *, request=None, **meta):
    """Serve a request by the session's middleware alone."""
    request = request or RequestFactory(HTTP_USER_AGENT=CHROME, REMOTE_ADDR=IP).get("/")
    request.META.update(meta)
    request.resolver_match = None

    def respond(request):
        view(request)
        return HttpResponse()

    return SessionMiddleware(respond)(request)


@pytest.fixture
def started():
    """The sessions that ``session_started`` announces."""
    sessions = []

    def note(session, **kwargs):
        sessions.append(session)

    session_started.connect(note)
    yield sessions
    session_started.disconnect(note)


def test_a_store_that_replaces_the_requests_own_knows_the_client(store, alice, started):
    def view(request):
        request.session = request.session.__class__(None)
        login(request, alice)

    serve(view)
    (session,) = started
    assert (session.ip, session.device_label) == (IP, "Chrome on Windows")
    assert row().ip == IP


def test_a_store_that_is_made_beside_the_requests_own_knows_the_client(store, alice):
    def view(request):
        other = HttpRequest()
        other.session = store()
        login(other, alice)
        other.session.save()

    serve(view)
    assert (row().ip, row().browser) == (IP, "Chrome")


def test_a_store_under_asgi_knows_the_client(engine, alice):
    async def respond(request):
        request.session = engine.SessionStore()
        await alogin(request, alice)
        return HttpResponse()

    request = RequestFactory(HTTP_USER_AGENT=CHROME, REMOTE_ADDR=IP).get("/")
    request.resolver_match = None
    async_to_sync(SessionMiddleware(respond))(request)
    assert (row().ip, row().browser) == (IP, "Chrome")


def test_a_store_outside_of_a_request_has_no_client(store, rf):
    serve(lambda request: None)
    assert store().client is None
    assert request_context.current() is None


def test_a_view_that_fails_leaves_no_request_behind(browser, alice, store):
    browser(alice).get("/renew-and-fail/")
    assert store().client is None


def test_a_thread_of_its_own_has_no_client(store):
    clients = []

    def view(request):
        thread = threading.Thread(target=lambda: clients.append(store().client))
        thread.start()
        thread.join()

    serve(view)
    assert clients == [None]


def test_a_request_inside_a_request_has_a_client_of_its_own(store, alice):
    def inner(request):
        login(request, alice)

    def outer(request):
        request_inside = RequestFactory(
            HTTP_USER_AGENT=IPHONE, REMOTE_ADDR="192.0.2.7"
        ).get("/")
        serve(inner, request=request_inside)
        assert store().client.ip_text == IP

    serve(outer)
    assert (row().ip, row().os) == ("192.0.2.7", "iOS")


def test_a_middleware_that_is_called_by_hand_gives_its_request_its_own_client(
    store, alice
):
    def outer(request):
        inside = RequestFactory(HTTP_USER_AGENT=IPHONE, REMOTE_ADDR="192.0.2.7").get(
            "/"
        )
        inside.resolver_match = None
        middleware = SessionMiddleware(lambda request: None)
        middleware.process_request(inside)
        login(inside, alice)
        middleware.process_response(inside, HttpResponse())

    serve(outer)
    assert row().ip == "192.0.2.7"


def test_activity_is_written_for_a_session_that_was_on_the_request_for_a_while(
    browser, store, alice
):
    key = browser(alice, ip="192.0.2.7").cookies[COOKIE].value
    pass_an_interval()
    before = row().last_activity

    def view(request):
        # As an API that takes the key from a header of its own.
        own, request.session = request.session, store(key)
        assert request.session["_auth_user_id"]
        request.session = own

    serve(view)
    assert row().last_activity > before
    assert row().ip == IP


def test_activity_is_written_once_for_two_stores_of_one_session(
    browser, store, alice, updates
):
    client = browser(alice)
    key = client.cookies[COOKIE].value
    pass_an_interval()

    def view(request):
        for _ in range(3):
            request.session = store(key)
            assert request.session["_auth_user_id"]

    with updates() as made:
        serve(view)
    assert len(made) == 1


def test_sessions_that_are_only_looked_at_get_no_activity(
    browser, store, alice, bob, updates, changes
):
    keys = [browser(user).cookies[COOKIE].value for user in (alice, bob)]
    pass_an_interval()

    def view(request):
        # As a provider of identities does that tells who has signed out.
        for key in keys:
            store(key).get("oidc_sid")

    with updates() as made:
        serve(view)
    assert len(made) == 0
    assert changes == []


def test_activity_is_written_where_another_engine_has_the_last_word(
    browser, store, alice
):
    key = browser(alice, ip="192.0.2.7").cookies[COOKIE].value
    pass_an_interval()

    def view(request):
        request.session = store(key)
        assert request.session["_auth_user_id"]
        request.session = signed_cookies.SessionStore()

    serve(view)
    assert row().ip == IP


def test_a_store_that_says_that_it_is_no_activity_gets_none(
    browser, store, alice, updates
):
    key = browser(alice).cookies[COOKIE].value
    pass_an_interval()

    def view(request):
        own, request.session = request.session, store(key)
        assert request.session["_auth_user_id"]
        request.session.is_activity = False
        request.session = own

    with updates() as made:
        serve(view)
    assert len(made) == 0


def test_a_task_that_outlives_its_request_has_no_client(engine):
    seen = []

    async def later():
        await asyncio.sleep(0.01)
        seen.append(await sync_to_async(lambda: engine.SessionStore().client)())

    async def walk():
        tasks = []

        async def respond(request):
            tasks.append(asyncio.create_task(later()))
            return HttpResponse()

        request = RequestFactory(REMOTE_ADDR=IP).get("/")
        request.resolver_match = None
        await SessionMiddleware(respond)(request)
        await asyncio.gather(*tasks)

    async_to_sync(walk)()
    assert seen == [None]


def test_a_store_of_a_request_can_be_copied(store):
    copies = []

    def view(request):
        request.META["lock"] = threading.Lock()
        copies.append(copy.deepcopy(request.session))

    serve(view)
    assert copies[0].client.ip_text == IP


def test_a_session_that_was_ended_meanwhile_gets_no_activity(browser, store, alice):
    key = browser(alice).cookies[COOKIE].value
    pass_an_interval()

    def view(request):
        own, request.session = request.session, store(key)
        request.session.flush()
        request.session = own

    assert serve(view).status_code == 200
    assert not Session.objects.exists()


# Requests that no client has made


def dummy(client, **meta):
    """A request that the site makes with the cookie of a client, as for a preview."""
    request = RequestFactory(REMOTE_ADDR="10.0.0.5", **meta).get("/")
    request.COOKIES[COOKIE] = client.cookies[COOKIE].value
    request.is_dummy = True
    return request


@pytest.mark.parametrize("is_inside", [True, False])
def test_a_dummy_request_is_no_visit_of_another_client(
    browser, alice, changes, is_inside
):
    client = browser(alice, ip=IP)
    pass_an_interval()
    before = row()

    def read(request):
        assert request.session["_auth_user_id"]

    def view(request):
        serve(read, request=dummy(client, HTTP_USER_AGENT=IPHONE))

    if is_inside:
        serve(view)
        assert row().last_activity > before.last_activity
    else:
        view(None)
        assert row().last_activity == before.last_activity
    assert (row().ip, row().user_agent) == (IP, CHROME)
    assert changes == []


def test_a_dummy_request_lengthens_no_session(browser, alice, settings):
    client = browser(alice)
    settings.SESSION_SAVE_EVERY_REQUEST = True
    before = row().expire_date
    response = serve(
        lambda request: request.session["_auth_user_id"], request=dummy(client)
    )
    assert row().expire_date == before
    assert COOKIE not in response.cookies


# Websockets


def scope_of(ip=IP, agent=CHROME):
    return {
        "type": "websocket",
        "client": [ip, 5000],
        "headers": [(b"user-agent", agent.encode())],
    }


def test_a_session_that_begins_in_a_websocket_has_the_client_of_its_scope(store, alice):
    request = HttpRequest()
    request.session = store()
    request.session.client = from_scope(scope_of())
    login(request, alice)
    request.session.save()
    assert (row().ip, row().device_label) == (IP, "Chrome on Windows")


# Requests that lack client hints

BRAVE = {
    "sec-ch-ua": '"Brave";v="140", "Chromium";v="140", "Not=A?Brand";v="24"',
    "sec-ch-ua-platform": '"Windows"',
    "sec-ch-ua-mobile": "?0",
}


@pytest.fixture
def brave(browser, alice):
    client = browser()
    credentials = {"username": "alice", "password": "secret"}
    client.post("/login/", credentials, headers=BRAVE)
    assert row().device_label == "Brave on Windows"
    return client


def test_hints_that_are_missing_take_nothing_away(brave):
    come_from(brave, ip="192.0.2.77")
    brave.get("/whoami/")
    assert (row().ip, row().device_label) == ("192.0.2.77", "Brave on Windows")
    assert row().device_kind == "desktop"


def test_a_sign_in_without_hints_takes_nothing_away(brave):
    brave.post("/login/", {"username": "alice", "password": "secret"})
    assert row().device_label == "Brave on Windows"


def test_another_user_agent_without_hints_is_another_client(brave):
    come_from(brave, ip="192.0.2.77", agent=IPHONE)
    brave.get("/whoami/")
    assert row().device_label == "Safari on iPhone"


def test_other_hints_replace_what_is_known(brave):
    come_from(brave, ip="192.0.2.77")
    brave.get("/whoami/", headers=BRAVE | {"sec-ch-ua": '"Opera";v="124"'})
    assert row().device_label == "Opera on Windows"
