"""The session of a request: its cookie, its save, its end during a request."""

import sys
from functools import partial

import pytest
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.cache import caches
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.test import AsyncClient, RequestFactory
from django.utils import timezone
from django.views.debug import ExceptionReporter

from tests.conftest import sign_in
from tests.middleware.clients import COOKIE, use_cookie, warm_cache
from wagtail_user_sessions.exceptions import SessionRefused
from wagtail_user_sessions.middleware import SessionMiddleware
from wagtail_user_sessions.models import Session
from wagtail_user_sessions.sql import query_compiler
from wagtail_user_sessions.sql.transactions import TrackedWrite

pytestmark = pytest.mark.django_db(transaction=True)


FORGED = ["x" * 32, "1", "", "ÿ" * 40, "a" * 5000, "../../etc/passwd", "\x00" * 32]


# Cookies that name no session


@pytest.mark.parametrize("value", FORGED)
@pytest.mark.parametrize("every_request", [True, False])
def test_a_forged_cookie_makes_no_row_and_no_error(
    browser, settings, value, every_request
):
    settings.SESSION_SAVE_EVERY_REQUEST = every_request
    client = browser()
    for path in ("/", "/read/", "/whoami/"):
        use_cookie(client, value)
        assert client.get(path).status_code == 200
    assert not Session.objects.exists()


@pytest.mark.parametrize("every_request", [True, False])
def test_the_cookie_of_an_ended_session_makes_no_row(
    browser, settings, alice, every_request
):
    settings.SESSION_SAVE_EVERY_REQUEST = every_request
    client = browser(alice)
    alice.session_set.all().delete()
    response = client.get("/whoami/")
    assert response.content == b"nobody"
    assert response.cookies[COOKIE]["max-age"] == 0
    assert not Session.objects.exists()


def test_a_visitor_with_a_forged_cookie_gets_a_key_of_the_sites_own(browser):
    client = browser()
    use_cookie(client, "x" * 32)
    client.get("/change/")
    assert client.cookies[COOKIE].value != "x" * 32
    assert Session.objects.count() == 1


# Signing in


def test_every_sign_in_gets_a_new_key_and_invalidates_the_old_one(browser, alice):
    client = browser(alice)
    old_key, row = client.cookies[COOKIE].value, alice.session_set.get()
    credentials = {"username": "alice", "password": "secret"}
    client.post("/login/", credentials)
    thief = browser()
    use_cookie(thief, old_key)
    assert thief.get("/whoami/").content == b"nobody"
    assert client.get("/whoami/").content == b"alice"
    again = alice.session_set.get()
    assert again.pk == row.pk
    assert again.signed_in_at > row.signed_in_at


def test_another_users_sign_in_ends_the_session_of_the_first(browser, alice, bob):
    client = browser(alice)
    client.post("/login/", {"username": "bob", "password": "secret"})
    assert not alice.session_set.exists()
    assert client.get("/whoami/").content == b"bob"


def test_a_rolled_back_sign_in_does_not_keep_the_old_key_of_the_visitor(browser, alice):
    client = browser()
    client.get("/change/")
    planted = client.cookies[COOKIE].value
    client.post("/login-rolled-back/")
    attacker = browser()
    use_cookie(attacker, planted)
    assert attacker.get("/whoami/").content == b"nobody"


@pytest.mark.parametrize("path", ["/logout-rolled-back/", "/logout-failing/"])
def test_a_rolled_back_sign_out_still_ends_the_session(browser, alice, path):
    client = browser(alice)
    key = client.cookies[COOKIE].value
    client.post(path)
    use_cookie(client, key)
    assert client.get("/whoami/").content == b"nobody"
    assert not alice.session_set.exists()


# Sessions that end during a request


def interrupted(engine, method, *, ends_row=True, cookie=None):
    def view(request):
        request.session["value"] = 1
        if ends_row:
            engine.SessionStore().delete(request.session.session_key)
        else:
            request.session.save = refuse
        return HttpResponse()

    def refuse():
        raise SessionRefused("it was told to.")

    session = engine.SessionStore()
    session["value"] = 0
    session.save()
    request = getattr(RequestFactory(), method)("/page/?a=b")
    request.COOKIES[COOKIE] = cookie or session.session_key
    return SessionMiddleware(view), request


def test_a_get_whose_session_has_ended_is_redirected_to_the_same_page(engine):
    middleware, request = interrupted(engine, "get")
    response = middleware(request)
    assert (response.status_code, response.url) == (302, "/page/?a=b")
    assert "no-store" in response["Cache-Control"]
    assert COOKIE not in response.cookies


def test_a_post_whose_session_has_ended_is_a_bad_request(engine):
    middleware, request = interrupted(engine, "post")
    with pytest.raises(SessionInterrupted):
        middleware(request)


def test_a_refused_get_whose_row_still_exists_is_a_bad_request(engine):
    middleware, request = interrupted(engine, "get", ends_row=False)
    with pytest.raises(SessionInterrupted):
        middleware(request)


def test_a_refusal_inside_a_view_is_redirected_to_the_same_page(engine):
    middleware, request = interrupted(engine, "get")
    middleware.process_request(request)
    request.session.keys()
    Session.objects.all().delete()
    response = middleware.process_exception(request, SessionRefused("it has ended."))
    assert response.status_code == 302
    assert middleware.process_exception(request, ValueError()) is None


def test_a_refused_get_without_a_database_is_a_bad_request(engine, monkeypatch):
    middleware, request = interrupted(engine, "get", ends_row=False)

    def fail(*args):
        raise OperationalError

    monkeypatch.setattr(engine.SessionStore, "exists", fail)
    with pytest.raises(SessionInterrupted):
        middleware(request)


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_page_that_clears_the_session_unread_accepts_an_invalid_cookie(
    browser, method
):
    client = browser()
    use_cookie(client, "x" * 32)
    assert getattr(client, method)("/clear/").status_code == 200


def test_an_invalid_cookie_and_a_failing_database_cause_no_redirect_loop(
    browser, monkeypatch
):
    def refuse(*args, **kwargs):
        raise OperationalError

    client = browser()
    use_cookie(client, "x" * 32)
    monkeypatch.setattr(Session, "save", refuse)
    assert client.get("/change/").status_code == 400


@pytest.fixture
def outlived(browser):
    """A visitor's client whose row is gone; with ``cached_db``, it has a copy."""
    client = browser()
    client.get("/change/?to=old")
    warm_cache(client)
    Session.objects.all()._raw_delete("default")
    return client


@pytest.mark.parametrize(
    ("path", "value"), [("/change/?to=new", b"new"), ("/renew/", b"nothing")]
)
def test_a_get_that_writes_over_a_copy_of_a_dead_row_is_a_bad_request_once(
    outlived, store, path, value
):
    first = outlived.get(path)
    if store.keeps_copies:
        assert first.status_code == 400
        assert COOKIE not in first.cookies
        assert not Session.objects.exists()
        assert outlived.get(path).status_code == 200
    else:
        assert first.status_code == 200
    assert outlived.get("/read/").content == value
    assert Session.objects.count() == 1


@pytest.mark.parametrize("engine", ["cached_db"], indirect=True)
def test_a_copy_that_the_cache_cant_disown_causes_no_redirect(outlived, monkeypatch):
    # As by a backend that swallows its errors: the copy stays, and so does its tag.
    for name in ("set_many", "delete_many"):
        monkeypatch.setattr(caches["default"], name, lambda *args, **kwargs: [])
    statuses = [outlived.get("/change/?to=new").status_code for _ in range(3)]
    assert statuses == [400] * 3
    assert outlived.get("/read/").content == b"old"
    # Until then a request of another method begins a session of its own.
    outlived.post("/change/?to=new")
    assert outlived.get("/change/?to=newer").status_code == 200


def end_before_writing(execute, sql, params, many, context):
    """End the session between its reading and the UPDATE of a request."""
    if sql.startswith("UPDATE") and "session_data" in sql:
        Session.objects.all()._raw_delete("default")
    return execute(sql, params, many, context)


@pytest.mark.parametrize("is_copied", [False, True])
@pytest.mark.parametrize("is_silent", [False, True])
def test_no_get_is_redirected_twice_in_a_row(
    browser, store, monkeypatch, is_copied, is_silent
):
    client = browser()
    client.get("/change/?to=old")
    if is_copied:
        warm_cache(client)
    if is_silent:
        for name in ("set_many", "delete_many"):
            monkeypatch.setattr(caches["default"], name, lambda *args, **kwargs: [])
    # The copy's row is there when the request reads it, and gone when it writes.
    with connection.execute_wrapper(end_before_writing):
        first = client.get("/change/?to=new")
    assert (first.status_code, first.url) == (302, "/change/?to=new")
    stays = store.keeps_copies and is_copied and is_silent
    assert client.get(first.url).status_code == (400 if stays else 200)


def test_the_redirect_stays_on_the_same_host(engine):
    middleware, request = interrupted(engine, "get")
    request.path = request.path_info = "//evil.example/page/"
    assert not middleware(request).url.startswith("//")


def test_a_rolled_back_sign_out_that_can_not_be_repeated_is_a_bad_request(
    browser, alice, engine, monkeypatch
):
    delete, calls = engine.SessionStore._delete, []

    def fail_the_second_time(self, session_key):
        calls.append(session_key)
        if len(calls) == 2:
            raise OperationalError
        return delete(self, session_key)

    client = browser(alice)
    monkeypatch.setattr(engine.SessionStore, "_delete", fail_the_second_time)
    assert client.post("/logout-rolled-back/").status_code == 400


@pytest.mark.parametrize("is_rotated", [True, False])
def test_a_page_that_fails_after_a_new_key_signs_nobody_out(
    browser, alice, settings, is_rotated
):
    client = browser(alice)
    if is_rotated:
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another secret"
    assert client.get("/renew-and-fail/").status_code == 500
    assert client.get("/whoami/").content == b"alice"


def test_auth_signals_without_a_session_are_accepted(alice):
    for signal in (user_logged_in, user_logged_out):
        for request in (None, RequestFactory().get("/")):
            assert signal.send(type(alice), request=request, user=alice)


# Asynchronous pages


def test_asynchronous_pages_do_what_synchronous_ones_do(engine, alice):
    from asgiref.sync import async_to_sync

    @async_to_sync
    async def walk():
        client = AsyncClient()
        credentials = {"username": "alice", "password": "secret"}
        agent = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64)"}
        await client.post("/alogin/", credentials, headers=agent)
        first_key = client.cookies[COOKIE].value
        names = [(await client.get("/awhoami/", headers=agent)).content]
        await client.get("/achange/", headers=agent)
        await client.post("/alogin/", credentials, headers=agent)
        assert client.cookies[COOKIE].value != first_key
        names.append((await client.get("/awhoami/", headers=agent)).content)
        rows = [row async for row in alice.session_set.all()]
        await client.post("/alogout/")
        names.append((await client.get("/awhoami/")).content)
        return names, rows

    names, rows = walk()
    assert names == [b"alice", b"alice", b"nobody"]
    assert [row.os for row in rows] == ["Linux"]
    assert rows[0].get_decoded()["value"] == "changed"
    assert not alice.session_set.exists()


def test_the_save_of_an_anonymous_session_reads_no_client(store):
    class Refusing:
        signed_in = ()

        def read_client(self):
            raise AssertionError("the client was read")

    session = store()
    session.enter(Refusing())
    session["value"] = 1
    session.save()
    session["value"] = 2
    session.save()
    assert store(session.session_key)["value"] == 2


# What a page can know


def test_the_id_of_the_session_is_that_of_its_row(browser, alice):
    client = browser(alice)
    row = alice.session_set.get()
    assert client.get("/keys/").json() == {"id": str(row.pk)}


def test_for_request_and_is_current_find_the_row_of_the_request(store, alice):
    session, other = sign_in(store, alice), sign_in(store, alice)
    request = RequestFactory().get("/")
    request.session = store(session.session_key)
    row = Session.objects.for_request(request).get()
    assert row == Session.objects.for_key(session.session_key).get()
    assert row.is_current(request)
    assert not Session.objects.for_key(other.session_key).get().is_current(request)
    request.session = store()
    assert not Session.objects.for_request(request).exists()
    assert not row.is_current(request)


def test_no_report_of_an_error_contains_the_key(store, alice, monkeypatch):
    """Reports contain the local variables of each function in the traceback."""

    def report(act):
        session = sign_in(store, alice)
        with monkeypatch.context() as patched:
            patched.setattr(QuerySet, "_raw_delete", fail)
            patched.setattr(query_compiler.CompiledUpdate, "execute", fail)
            patched.setattr(QuerySet, "exists", fail)
            try:
                act(session)
            except Exception:
                reporter = ExceptionReporter(None, *sys.exc_info())
                return session.session_key in reporter.get_traceback_html()
        raise AssertionError("nothing failed")

    def fail(*args, **kwargs):
        raise OperationalError

    def repeat(session):
        with transaction.atomic():
            session._rollback_handlers.register(
                TrackedWrite("default"), partial(session._delete, session.session_key)
            )
            transaction.set_rollback(True)
        session.handle_rollbacks()

    acts = [
        lambda session: session.flush(),
        lambda session: session.cycle_key(),
        lambda session: session.delete(session.session_key),
        lambda session: session.exists(session.session_key),
        lambda session: (session.__setitem__("a", 1), session.save()),
        repeat,
    ]
    assert [report(act) for act in acts] == [False] * len(acts)


def test_no_text_of_a_row_contains_its_key(store, alice, caplog):
    session = sign_in(store, alice)
    row = Session.objects.get()
    key = session.session_key
    caplog.set_level("DEBUG")
    texts = [str(row), repr(row), repr(session), str(vars(row))]
    session.flush()
    assert key not in "".join(texts) + caplog.text
    assert row.expire_date > timezone.now()
