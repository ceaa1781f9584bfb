"""The number of statements of a page, beside the one for the user."""

import pytest
from django.test import Client

from tests.cache.entries import Recorder

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_anonymous_page_costs_nothing(browser, statements):
    with statements() as made:
        browser().get("/")
    assert made.all == []


def test_a_page_that_ignores_the_session_of_its_cookie_costs_nothing(
    browser, statements, alice
):
    client = browser(alice)
    with statements() as made:
        client.get("/")
    assert made.all == []


@pytest.fixture
def cache_calls(engine, monkeypatch):
    return Recorder(monkeypatch).calls


def test_a_page_that_reads_its_session_costs_one_query_and_no_cache_call(
    browser, statements, alice, cache_calls
):
    client = browser(alice)
    for _ in range(3):
        with statements() as made:
            assert client.get("/whoami/").content == b"alice"
        assert made.verbs == ["SELECT"]
        assert len(made.all) == 2
    assert cache_calls == []


def test_a_page_that_changes_its_session_costs_one_update_more_and_no_cache_call(
    browser, statements, alice, cache_calls
):
    client = browser(alice)
    client.get("/change/?to=one")
    with statements() as made:
        client.get("/change/?to=two")
    assert made.all[-1].startswith("UPDATE")
    assert made.verbs == ["SELECT", "UPDATE"]
    assert cache_calls == []


def test_a_changed_address_costs_one_update_and_no_cache_call(
    browser, statements, alice, cache_calls
):
    client = browser(alice)
    with statements() as made:
        client.get("/whoami/", REMOTE_ADDR="198.51.100.7")
    assert made.verbs == ["SELECT", "UPDATE"]
    assert cache_calls == []
    assert alice.session_set.get().ip == "198.51.100.7"


@pytest.mark.parametrize(
    ("name", "path"), [("sign-in", "/login/"), ("sign-out", "/logout/")]
)
def test_signing_in_and_out_cost_no_more_than_with_djangos_engine(
    settings, statements, alice, engine, name, path
):
    ours, theirs = (
        _count(settings, path, use) for use in (_our_settings, _djangos_settings)
    )
    assert ours <= theirs


def _our_settings(settings):
    return settings.SESSION_ENGINE, settings.MIDDLEWARE


def _djangos_settings(settings):
    engine = settings.SESSION_ENGINE.rpartition(".")[2]
    middleware = [
        name.replace("wagtail_user_sessions", "django.contrib.sessions")
        for name in settings.MIDDLEWARE
    ]
    return f"django.contrib.sessions.backends.{engine}", middleware


def _count(settings, path, choose):
    """Return the number of statements; Django's own engine gets a table."""
    from django.contrib.sessions.backends import db as django_db
    from django.db import connection

    from tests.conftest import Statements

    before = settings.SESSION_ENGINE, settings.MIDDLEWARE
    settings.SESSION_ENGINE, settings.MIDDLEWARE = choose(settings)
    is_django = settings.SESSION_ENGINE.startswith("django.")
    model = _django_model() if is_django else None
    get_model_class = vars(django_db.SessionStore)["get_model_class"]
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
        django_db.SessionStore.get_model_class = get_model_class
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
