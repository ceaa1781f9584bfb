import sys
from functools import partial

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import OperationalError, transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.test import AsyncClient, Client, RequestFactory
from django.utils import timezone
from django.views.debug import ExceptionReporter

from tests.conftest import sign_in
from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.exceptions import SessionRefused
from wagtail_user_sessions.middleware import SessionMiddleware, inactive_users
from wagtail_user_sessions.models import Reason, Session
from wagtail_user_sessions.signals import session_ended
from wagtail_user_sessions.sql import query_compiler
from wagtail_user_sessions.sql.transactions import TrackedWrite

pytestmark = pytest.mark.django_db(transaction=True)

COOKIE = django_settings.SESSION_COOKIE_NAME
FORGED = ["x" * 32, "1", "", "ÿ" * 40, "a" * 5000, "../../etc/passwd", "\x00" * 32]


def warm(client):
    """The first load of all adds an epoch, and the next one a copy."""
    for _ in range(2):
        client.get("/whoami/")


def use_cookie(client, value):
    client.cookies[COOKIE] = value


# How many statements a page costs, beyond the one for the user


def test_an_anonymous_page_costs_nothing(browser, statements):
    with statements() as made:
        browser().get("/")
    assert made.all == []


def test_a_page_that_ignores_its_session_costs_nothing_with_a_cookie_either(
    browser, statements, alice
):
    client = browser(alice)
    with statements() as made:
        client.get("/")
    assert made.all == []


def test_a_page_that_reads_its_session_costs_one_query(
    browser, statements, alice, engine
):
    client = browser(alice)
    warm(client)
    with statements() as made:
        assert client.get("/whoami/").content == b"alice"
    is_cached = engine.__name__.endswith("cached_db")
    assert made.verbs == ([] if is_cached else ["SELECT"])
    assert len(made.all) == len(made.verbs) + 1


def test_a_page_that_changes_its_session_costs_one_update_more(
    browser, statements, alice, engine
):
    client = browser(alice)
    client.get("/change/?to=one")
    warm(client)
    with statements() as made:
        client.get("/change/?to=two")
    is_cached = engine.__name__.endswith("cached_db")
    assert made.all[-1].startswith("UPDATE")
    assert made.verbs == (["UPDATE"] if is_cached else ["SELECT", "UPDATE"])


def test_a_changed_address_costs_one_update(browser, statements, alice, engine):
    client = browser(alice)
    warm(client)
    with statements() as made:
        client.get("/whoami/", REMOTE_ADDR="198.51.100.7")
    is_cached = engine.__name__.endswith("cached_db")
    assert made.verbs == (["UPDATE"] if is_cached else ["SELECT", "UPDATE"])
    assert alice.session_set.get().ip == "198.51.100.7"


@pytest.mark.parametrize(
    ("name", "path"), [("sign-in", "/login/"), ("sign-out", "/logout/")]
)
def test_signing_in_and_out_cost_no_more_than_with_djangos_engine(
    settings, statements, alice, engine, name, path
):
    ours, theirs = (_count(settings, path, use) for use in (_ours, _django))
    assert ours <= theirs


def _ours(settings):
    return settings.SESSION_ENGINE, settings.MIDDLEWARE


def _django(settings):
    engine = settings.SESSION_ENGINE.rpartition(".")[2]
    middleware = [
        name.replace("wagtail_user_sessions", "django.contrib.sessions")
        for name in settings.MIDDLEWARE
    ]
    return f"django.contrib.sessions.backends.{engine}", middleware


def _count(settings, path, choose):
    """The statements of the page, with a table for Django's own engine too."""
    from django.contrib.sessions.backends import db as django_db
    from django.db import connection

    from tests.conftest import Statements

    before = settings.SESSION_ENGINE, settings.MIDDLEWARE
    settings.SESSION_ENGINE, settings.MIDDLEWARE = choose(settings)
    is_django = settings.SESSION_ENGINE.startswith("django.")
    model = _django_model() if is_django else None
    try:
        if model:
            with connection.schema_editor() as editor:
                editor.create_model(model)
            django_db.SessionStore.get_model_class = classmethod(lambda cls: model)
        client = Client()
        credentials = {"username": "alice", "password": "secret"}
        if path != "/login/":
            client.post("/login/", credentials)
        with Statements() as made:
            client.post(path, credentials)
        return len(made.all)
    finally:
        if model:
            with connection.schema_editor() as editor:
                editor.delete_model(model)
        settings.SESSION_ENGINE, settings.MIDDLEWARE = before


_models = []


def _django_model():
    from django.contrib.sessions.base_session import AbstractBaseSession

    if not _models:

        class DjangoSession(AbstractBaseSession):
            class Meta:
                app_label = "tests"
                managed = False

        _models.append(DjangoSession)
    return _models[0]


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


def test_every_sign_in_gets_a_new_key_and_kills_the_old_one(browser, alice):
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


def test_a_sign_in_that_was_rolled_back_is_not_under_the_visitors_old_key(
    browser, alice
):
    client = browser()
    client.get("/change/")
    planted = client.cookies[COOKIE].value
    client.post("/login-rolled-back/")
    attacker = browser()
    use_cookie(attacker, planted)
    assert attacker.get("/whoami/").content == b"nobody"


@pytest.mark.parametrize("path", ["/logout-rolled-back/", "/logout-failing/"])
def test_a_sign_out_that_was_rolled_back_is_a_sign_out(browser, alice, path):
    client = browser(alice)
    key = client.cookies[COOKIE].value
    client.post(path)
    use_cookie(client, key)
    assert client.get("/whoami/").content == b"nobody"
    assert not alice.session_set.exists()


# Sessions that end beside a request


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


def test_a_visitors_get_is_sent_to_the_same_page_again(engine):
    middleware, request = interrupted(engine, "get")
    response = middleware(request)
    assert (response.status_code, response.url) == (302, "/page/?a=b")
    assert "no-store" in response["Cache-Control"]
    assert COOKIE not in response.cookies


def test_anything_but_a_get_is_a_bad_request(engine):
    middleware, request = interrupted(engine, "post")
    with pytest.raises(SessionInterrupted):
        middleware(request)


def test_a_get_whose_row_is_alive_is_a_bad_request_and_cannot_loop(engine):
    middleware, request = interrupted(engine, "get", ends_row=False)
    with pytest.raises(SessionInterrupted):
        middleware(request)


def test_a_refusal_inside_a_view_ends_likewise(engine):
    middleware, request = interrupted(engine, "get")
    middleware.process_request(request)
    request.session.keys()
    Session.objects.all().delete()
    response = middleware.process_exception(request, SessionRefused("it has ended."))
    assert response.status_code == 302
    assert middleware.process_exception(request, ValueError()) is None


def test_a_database_that_is_gone_ends_in_a_bad_request(engine, monkeypatch):
    middleware, request = interrupted(engine, "get", ends_row=False)

    def fail(*args):
        raise OperationalError

    monkeypatch.setattr(engine.SessionStore, "exists", fail)
    with pytest.raises(SessionInterrupted):
        middleware(request)


def follow(client, path):
    """The statuses until a page is no redirect, or for ten pages."""
    statuses = []
    while len(statuses) < 10 and statuses[-1:] != [200]:
        statuses.append(client.get(path).status_code)
    return statuses


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_page_that_clears_a_session_unread_takes_a_dead_cookie(browser, method):
    client = browser()
    use_cookie(client, "x" * 32)
    assert getattr(client, method)("/clear/").status_code == 200


def test_a_dead_cookie_and_a_database_that_refuses_are_no_loop(browser, monkeypatch):
    def refuse(*args, **kwargs):
        raise OperationalError

    client = browser()
    use_cookie(client, "x" * 32)
    monkeypatch.setattr(Session, "save", refuse)
    assert client.get("/change/").status_code == 400


def test_a_copy_that_outlived_its_row_is_no_loop(browser, alice):
    client = browser(alice)
    warm(client)
    Session.objects.all()._raw_delete("default")
    assert follow(client, "/change/?to=new") in ([302, 200], [200])


def test_the_same_page_is_on_the_same_host(engine):
    middleware, request = interrupted(engine, "get")
    request.path = request.path_info = "//evil.example/page/"
    assert not middleware(request).url.startswith("//")


def test_a_sign_out_that_can_not_be_repeated_is_no_server_error(
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
def test_a_page_that_fails_after_a_renewal_signs_nobody_out(
    browser, alice, settings, is_rotated
):
    client = browser(alice)
    if is_rotated:
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another secret"
    assert client.get("/renew-and-fail/").status_code == 500
    assert client.get("/whoami/").content == b"alice"


def test_signals_of_a_request_without_a_session_are_taken(alice):
    for signal in (user_logged_in, user_logged_out):
        for request in (None, RequestFactory().get("/")):
            assert signal.send(type(alice), request=request, user=alice)


# Users who may no longer sign in


def test_a_user_who_is_deleted_beside_a_request_is_nobody(browser, alice):
    client = browser(alice)
    assert client.get(f"/delete-user/?pk={alice.pk}").content == b"nobody"


@pytest.mark.parametrize("engine", ["cached_db"], indirect=True)
def test_a_copy_of_a_deleted_users_session_is_nobodys(browser, alice, monkeypatch):
    client = browser(alice)
    warm(client)
    monkeypatch.setattr(copies, "_mark", lambda *args: False)
    alice.delete()
    assert client.get("/whoami/").content == b"nobody"


def test_users_without_is_active_are_taken(browser, alice, settings, monkeypatch):
    class Missing:
        def __get__(self, *args):
            raise AttributeError

    client = browser(alice)
    settings.AUTHENTICATION_BACKENDS = ["tests.auth_backends.Another"]
    monkeypatch.setattr(get_user_model(), "is_active", Missing())
    assert client.get("/whoami/").status_code == 200


def test_a_user_whom_somebody_has_forgotten_was_not_refused(rf):
    request = rf.get("/")
    request._cached_user = None
    assert not inactive_users._was_refused(request)


def test_a_save_of_a_visitor_asks_for_no_client(store):
    def refuse():
        raise AssertionError("nobody needs it")

    session = store()
    session.read_client = refuse
    session["value"] = 1
    session.save()
    session["value"] = 2
    session.save()
    assert store(session.session_key)["value"] == 2


@pytest.mark.parametrize(
    "deactivate",
    [
        lambda user: get_user_model().objects.update(is_active=False),
        lambda user: setattr(user, "is_active", False) or user.save(),
    ],
)
def test_the_next_request_of_a_deactivated_user_is_refused_and_ends_the_row(
    browser, alice, deactivate
):
    client = browser(alice)
    reasons = []

    def listen(reason, **kwargs):
        reasons.append(reason)

    session_ended.connect(listen)
    deactivate(alice)
    assert not alice.session_set.select_related("user").get().is_active
    assert client.get("/whoami/").content == b"nobody"
    session_ended.disconnect(listen)
    assert not alice.session_set.exists()
    assert reasons == [Reason.USER_INACTIVE]


def test_the_next_request_after_a_new_password_is_refused_and_ends_the_row(
    browser, alice
):
    client = browser(alice)
    alice.set_password("another")
    alice.save()
    assert not alice.session_set.select_related("user").get().is_active
    assert client.get("/whoami/").content == b"nobody"
    assert not alice.session_set.exists()


def test_who_changes_the_password_stays_signed_in_and_all_others_do_not(browser, alice):
    here, there = browser(alice), browser(alice)
    response = here.post(
        "/password/",
        {
            "old_password": "secret",
            "new_password1": "Vq7-rain",
            "new_password2": "Vq7-rain",
        },
    )
    assert response.status_code == 302
    assert here.get("/whoami/").content == b"alice"
    assert there.get("/whoami/").content == b"nobody"
    assert alice.session_set.count() == 1


def test_a_rotated_secret_key_signs_nobody_out(browser, alice, settings):
    client = browser(alice)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret"
    assert client.get("/whoami/").content == b"alice"
    settings.SECRET_KEY_FALLBACKS = []
    assert client.get("/whoami/").content == b"alice"


def test_a_user_whose_backend_is_elsewhere_keeps_the_session(browser, alice, settings):
    client = browser(alice)
    settings.AUTHENTICATION_BACKENDS = ["tests.auth_backends.Another"]
    assert client.get("/whoami/").content == b"nobody"
    assert alice.session_set.exists()


# Asynchronous pages


def test_asynchronous_pages_do_the_same(engine, alice):
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


# What a page may know


def test_the_id_of_the_session_is_that_of_its_row(browser, alice):
    client = browser(alice)
    row = alice.session_set.get()
    assert client.get("/keys/").json() == {"id": str(row.pk)}


def test_a_row_knows_its_request(store, alice):
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
    """Reports hold the local variables of each function on the way."""

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
