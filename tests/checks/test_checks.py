import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import AbstractUser
from django.core.cache import BaseCache
from django.core.checks import Tags, run_checks
from django.core.management import call_command
from django.db import OperationalError, connection, models
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.test.utils import isolate_apps
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from wagtail_user_sessions import checks
from wagtail_user_sessions.checks import accessor, devices_page, django_app
from wagtail_user_sessions.checks.messages import TAG
from wagtail_user_sessions.conf import Conf
from wagtail_user_sessions.middleware import SessionMiddleware

DJANGO_MIDDLEWARE = "django.contrib.sessions.middleware.SessionMiddleware"
OUR_MIDDLEWARE = "wagtail_user_sessions.middleware.SessionMiddleware"
CACHED_DB = "wagtail_user_sessions.backends.cached_db"
REDIS = "django.core.cache.backends.redis.RedisCache"


class OwnMiddleware(SessionMiddleware):
    """A site's own, which does the same."""


def function_middleware(get_response):
    return get_response


class OwnRedis(BaseCache):
    """A site's own cache, on a driver whose name tells that it is Redis."""

    __module__ = "site_of_ours.redis"


class SessionsElsewhere:
    def db_for_write(self, model, **hints):
        return "sessions" if model._meta.model_name == "session" else None


def find_address(request):
    return "192.0.2.1"


def run(tag=TAG, **options):
    """What the package's checks have to say, by their short ids."""
    messages = run_checks(tags=[tag], **options)
    ours = [message for message in messages if message.id.startswith(f"{TAG}.")]
    assert all(message.hint for message in ours)
    return {message.id.rpartition(".")[2]: message for message in ours}


def test_a_project_that_is_set_up_well_has_no_messages(capsys):
    assert run() == {}
    call_command("check", fail_level="WARNING")


@pytest.mark.django_db
def test_a_database_without_remains_has_no_messages():
    assert run(Tags.database, databases=["default"]) == {}


# The engine


@pytest.mark.parametrize(
    "engine",
    [
        "wagtail_user_sessions.backends.db",
        "wagtail_user_sessions.backends.cached_db",
        "tests.models",
    ],
)
def test_our_engines_and_those_that_extend_them_are_fine(settings, engine):
    settings.SESSION_ENGINE = engine
    assert {"E001", "E002"} & run().keys() == set()


@pytest.mark.parametrize("engine", ["no.such.engine", "tests.urls", ""])
def test_an_engine_that_can_not_be_imported_is_an_error(settings, engine):
    settings.SESSION_ENGINE = engine
    assert run().keys() == {"E001"}


@pytest.mark.parametrize("name", ["db", "cached_db", "signed_cookies"])
def test_another_engine_is_an_error(settings, name):
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{name}"
    assert run().keys() == {"E002"}


# The middleware


def replaced(middleware):
    return [
        middleware if path == OUR_MIDDLEWARE else path
        for path in django_settings.MIDDLEWARE
    ]


def test_a_subclass_of_our_middleware_is_fine(settings):
    settings.MIDDLEWARE = replaced("tests.checks.test_checks.OwnMiddleware")
    assert run() == {}


def test_no_session_middleware_is_an_error(settings):
    settings.MIDDLEWARE = replaced("django.middleware.gzip.GZipMiddleware")
    assert run().keys() == {"E003"}


def test_no_middleware_at_all_is_an_error(settings):
    settings.MIDDLEWARE = []
    assert run().keys() == {"E003"}


def test_djangos_middleware_in_place_of_ours_is_an_error(settings):
    settings.MIDDLEWARE = replaced(DJANGO_MIDDLEWARE)
    messages = run()
    assert messages.keys() == {"E004"}
    assert DJANGO_MIDDLEWARE in messages["E004"].msg


def test_djangos_middleware_beside_ours_is_an_error(settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, DJANGO_MIDDLEWARE]
    assert run().keys() == {"E004"}


@pytest.mark.parametrize(
    "early",
    [
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
        "django.contrib.auth.middleware.PersistentRemoteUserMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
)
def test_what_uses_the_session_before_it_is_there_is_an_error(settings, early):
    settings.MIDDLEWARE = [early, OUR_MIDDLEWARE]
    messages = run()
    assert messages.keys() == {"E005"}
    assert early in messages["E005"].msg
    settings.MIDDLEWARE = [OUR_MIDDLEWARE, early]
    assert run() == {}


@pytest.mark.parametrize(
    "odd",
    [
        "no.such.Middleware",
        "nothing",
        "",
        "tests.checks.test_checks.function_middleware",
    ],
)
def test_other_middleware_is_left_alone(settings, odd):
    settings.MIDDLEWARE = [odd, *settings.MIDDLEWARE, odd]
    assert run() == {}


# Django's own app


def test_djangos_app_beside_ours_is_a_warning(monkeypatch):
    # Wagtail's apps can't be set up twice in a process.
    monkeypatch.setattr(django_app.apps, "is_installed", lambda name: True)
    assert run().keys() == {"W001"}


def test_a_site_without_the_app_of_htmx_is_warned(monkeypatch):
    monkeypatch.setattr(
        devices_page.apps, "is_installed", lambda name: name != "django_htmx"
    )
    assert "W010" in run()


@pytest.mark.parametrize("url", ["/password/", "https://id.example/", "login", None])
def test_the_page_of_the_password_may_be_named_by_a_url_or_its_name(settings, url):
    settings.WAGTAIL_USER_SESSIONS_PASSWORD_CHANGE_URL = url
    assert run() == {}


def test_a_name_without_a_url_for_the_page_of_the_password_is_an_error(settings):
    settings.WAGTAIL_USER_SESSIONS_PASSWORD_CHANGE_URL = "no_such_name"
    assert run().keys() == {"E013"}


@pytest.fixture
def django_table(transactional_db):
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE django_session (session_key varchar(40) PRIMARY KEY)"
        )
    yield "django_session"
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE django_session")


def test_djangos_table_is_a_warning_while_it_holds_keys(django_table):
    assert run(Tags.database, databases=["default"]) == {}
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {django_table} VALUES ('a raw key')")
    messages = run(Tags.database, databases=["default"])
    assert messages.keys() == {"W002"}
    assert "DROP TABLE django_session" in messages["W002"].hint
    assert "a raw key" not in str(messages["W002"])


def test_no_database_is_asked_unless_it_is_named(django_table):
    with connection.execute_wrapper(lambda *args: pytest.fail("it was asked")):
        assert run(Tags.database, databases=[]) == {}


@pytest.mark.django_db
def test_a_database_that_can_not_be_reached_crashes_no_check(tmp_path, monkeypatch):
    gone = {**connection.settings_dict, "NAME": str(tmp_path / "missing" / "file")}
    unreachable = DatabaseWrapper(gone, alias="default")
    monkeypatch.setattr(django_app, "connections", {"default": unreachable})
    assert run(Tags.database, databases=["default"]) == {}
    with pytest.raises(OperationalError):
        unreachable.ensure_connection()


# The databases


def test_sessions_and_users_in_different_databases_are_an_error(settings):
    settings.DATABASE_ROUTERS = ["tests.checks.test_checks.SessionsElsewhere"]
    messages = run()
    assert messages.keys() == {"E006"}
    assert "'sessions', and users in 'default'" in messages["E006"].msg


def test_the_database_of_the_engines_own_model_is_the_one_that_counts(settings):
    settings.DATABASE_ROUTERS = ["tests.checks.test_checks.SessionsElsewhere"]
    settings.SESSION_ENGINE = "tests.models"
    assert run() == {}


# The accessor


@isolate_apps("tests", "wagtail_user_sessions")
def test_another_model_with_our_accessor_is_an_error(monkeypatch):
    class Person(models.Model):  # noqa: DJ008
        class Meta:
            app_label = "tests"

    def session_model(label, related_name=None):
        class Session(models.Model):  # noqa: DJ008
            user = models.ForeignKey(Person, models.CASCADE, related_name=related_name)

            class Meta:
                app_label = label

        return Session

    session_of_ours = session_model("wagtail_user_sessions")
    monkeypatch.setattr(accessor, "get_user_model", lambda: Person)
    monkeypatch.setattr(accessor, "Session", session_of_ours)
    assert accessor.check_accessor() == []
    session_model("tests")
    (message,) = accessor.check_accessor()
    assert message.id == f"{TAG}.E007"
    assert "tests.Session.user clashes with Person.session_set" in message.msg
    assert "related_name" in message.hint


def test_a_project_with_such_a_clash_is_told_how_to_solve_it(tmp_path):
    app = tmp_path / "trainings"
    app.mkdir()
    (app / "__init__.py").touch()
    (app / "models.py").write_text(
        "from django.conf import settings\n"
        "from django.db import models\n"
        "class Session(models.Model):\n"
        "    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)\n"
    )
    (tmp_path / "clashing.py").write_text(
        "from tests.settings import *\nINSTALLED_APPS += ['trainings']\n"
    )
    root = str(Path(__file__).parents[2])
    checked = subprocess.run(
        [sys.executable, "-m", "django", "check"],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(tmp_path), root]),
            "DJANGO_SETTINGS_MODULE": "clashing",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 1
    assert "(fields.E304)" in checked.stderr
    expected = "E007) trainings.Session.user clashes with User.session_set"
    assert expected in checked.stderr


@pytest.mark.parametrize("value", [None, property(lambda self: []), lambda self: []])
def test_an_attribute_of_the_users_class_with_that_name_is_an_error(monkeypatch, value):
    monkeypatch.setattr(AbstractUser, "session_set", value, raising=False)
    messages = run()
    assert messages.keys() == {"E007"}
    assert "django.contrib.auth.models.AbstractUser" in messages["E007"].msg


# The cache


@pytest.fixture
def use_cache(settings):
    def use_cache(backend, location="", **options):
        settings.SESSION_ENGINE = CACHED_DB
        cache = {"BACKEND": backend, "LOCATION": location, **options}
        settings.CACHES = {**settings.CACHES, "default": cache}

    return use_cache


def test_the_engine_without_a_cache_may_have_any(settings, use_cache):
    use_cache("django.core.cache.backends.dummy.DummyCache")
    settings.SESSION_ENGINE = "wagtail_user_sessions.backends.db"
    settings.SESSION_CACHE_ALIAS = "none"
    assert run() == {}


def test_a_cache_that_is_not_there_is_an_error(settings):
    settings.SESSION_ENGINE = CACHED_DB
    settings.SESSION_CACHE_ALIAS = "sesions"
    assert run().keys() == {"E008"}


def test_a_cache_that_can_not_be_imported_is_an_error(use_cache):
    use_cache("no.such.Cache")
    assert run().keys() == {"E008"}


def test_a_cache_of_one_process_is_a_warning(settings):
    settings.SESSION_ENGINE = CACHED_DB
    messages = run()
    assert messages.keys() == {"W003"}
    assert "WAGTAIL_USER_SESSIONS_CACHE_MAX_AGE" in messages["W003"].hint


def test_a_cache_that_keeps_nothing_is_a_warning(use_cache):
    use_cache("django.core.cache.backends.dummy.DummyCache")
    assert run().keys() == {"W004"}


@pytest.mark.parametrize(
    ("backend", "location"),
    [
        ("django.core.cache.backends.filebased.FileBasedCache", "folder"),
        ("django.core.cache.backends.db.DatabaseCache", "table"),
        (REDIS, "redis://127.0.0.1:6379"),
        (REDIS, ["redis://127.0.0.1:6379"]),
    ],
)
def test_a_cache_of_one_server_that_is_shared_is_fine(use_cache, backend, location):
    use_cache(backend, location)
    assert run() == {}


@pytest.mark.parametrize(
    "location",
    [
        "redis://127.0.0.1:6379,redis://127.0.0.1:6380",
        "redis://127.0.0.1:6379;redis://127.0.0.1:6380",
        ["redis://127.0.0.1:6379", "redis://127.0.0.1:6380"],
        ("redis://127.0.0.1:6379", "redis://127.0.0.1:6380"),
    ],
)
@pytest.mark.parametrize("backend", [REDIS, "tests.checks.test_checks.OwnRedis"])
def test_read_replicas_are_an_error(use_cache, monkeypatch, backend, location):
    monkeypatch.setattr(OwnRedis, "__init__", lambda self, server, params: None)
    use_cache(backend, location)
    assert run().keys() == {"E009"}


# The package's settings


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("WAGTAIL_USER_SESSIONS_CACHE_MAXAGE", "WAGTAIL_USER_SESSIONS_CACHE_MAX_AGE"),
        ("WAGTAIL_USER_SESSIONS_IPSTORAGE", "WAGTAIL_USER_SESSIONS_IP_STORAGE"),
        ("WAGTAIL_USER_SESSIONS_PROXIES", "WAGTAIL_USER_SESSIONS_TRUSTED_PROXIES"),
    ],
)
def test_an_unknown_setting_is_a_warning_with_the_nearest_name(settings, name, nearest):
    setattr(settings, name, 5)
    messages = run()
    assert messages.keys() == {"W005"}
    assert name in messages["W005"].msg
    assert messages["W005"].hint == f"Did you mean {nearest}?"


def test_a_setting_that_is_near_to_none_is_a_warning_without_one(settings):
    settings.WAGTAIL_USER_SESSIONS_XYZ = 5
    assert run()["W005"].hint == "Take it out."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CACHE_MAX_AGE", "300"),
        ("CACHE_MAX_AGE", -1),
        ("ANONYMOUS_AGE", 0),
        ("ACTIVITY_INTERVAL", True),
        ("ACTIVITY_IGNORE", "wagtailadmin_editing_sessions:ping"),
        ("TRUSTED_PROXIES", "10.0.0.0/8"),
        ("TRUSTED_PROXIES", [10]),
        ("TRUSTED_PROXIES", None),
        ("CLIENT_IP", find_address),
        ("CLIENT_IP", ""),
        ("IP_STORAGE", "FULL"),
        ("USER_AGENT_STORAGE", ["full"]),
        ("LOCATION", "off"),
    ],
)
def test_a_value_of_the_wrong_kind_is_an_error(settings, name, value):
    setting = Conf.declared()[f"WAGTAIL_USER_SESSIONS_{name}"]
    setattr(settings, setting.name, value)
    messages = run()
    assert messages.keys() == {"E010"}
    assert setting.name in messages["E010"].msg
    assert messages["E010"].hint == f"Set it to {setting.expected}."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CACHE_MAX_AGE", 0),
        ("ANONYMOUS_AGE", 3600),
        ("ACTIVITY_IGNORE", ["poll"]),
        ("TRUSTED_PROXIES", ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "unix"]),
        ("CLIENT_IP", "tests.checks.test_checks.find_address"),
        ("IP_STORAGE", "anonymized"),
        ("USER_AGENT_STORAGE", "none"),
        ("LOCATION", False),
    ],
)
def test_a_good_value_is_fine(settings, name, value):
    setattr(settings, f"WAGTAIL_USER_SESSIONS_{name}", value)
    assert run() == {}


@pytest.mark.parametrize(
    "path",
    ["no.such.function", "nothing", "tests.checks.test_checks.missing"],
)
def test_a_function_for_the_address_that_is_not_there_is_an_error(settings, path):
    settings.WAGTAIL_USER_SESSIONS_CLIENT_IP = path
    assert run().keys() == {"E011"}


def test_a_function_for_the_address_that_is_none_is_an_error(settings):
    settings.WAGTAIL_USER_SESSIONS_CLIENT_IP = "tests.checks.test_checks.CACHED_DB"
    assert run().keys() == {"E011"}


def test_proxies_that_a_function_of_the_sites_own_overrules_are_a_warning(settings):
    settings.WAGTAIL_USER_SESSIONS_CLIENT_IP = "tests.checks.test_checks.find_address"
    settings.WAGTAIL_USER_SESSIONS_TRUSTED_PROXIES = ["10.0.0.0/8"]
    messages = run()
    assert messages.keys() == {"W006"}
    assert "SESSIONS_TRUSTED_PROXIES is ignored" in messages["W006"].msg


@pytest.mark.parametrize("entry", ["proxy.example.com", "10.0.0.0/33", "", "*", "UNIX"])
def test_a_trusted_proxy_that_is_no_network_is_an_error(settings, entry):
    settings.WAGTAIL_USER_SESSIONS_TRUSTED_PROXIES = ["10.0.0.0/8", entry]
    messages = run()
    assert messages.keys() == {"E012"}
    assert repr(entry) in messages["E012"].msg


@pytest.mark.parametrize("entry", ["0.0.0.0/0", "::/0", "10.0.0.0/0"])
def test_trusting_everybody_is_a_warning(settings, entry):
    settings.WAGTAIL_USER_SESSIONS_TRUSTED_PROXIES = [entry]
    assert run().keys() == {"W007"}


# The GeoIP database


def write_database(path, kind="GeoLite2-City"):
    writer = MMDBWriter(4, database_type=kind)
    writer.insert_network(IPSet(["192.0.2.0/24"]), {"country": {"iso_code": "NL"}})
    writer.to_db_file(str(path))


def test_a_geoip_database_is_fine_as_a_file_and_in_a_folder(settings, tmp_path):
    path = tmp_path / "GeoLite2-City.mmdb"
    write_database(path)
    for settings.GEOIP_PATH in (tmp_path, str(tmp_path), path, str(path)):
        assert run() == {}


def test_a_geoip_path_without_a_database_is_a_warning(settings, tmp_path):
    for settings.GEOIP_PATH in (tmp_path, str(tmp_path / "missing")):
        messages = run()
        assert messages.keys() == {"W008"}
        assert str(settings.GEOIP_PATH) in messages["W008"].msg


def test_a_geoip_database_that_can_not_be_opened_is_a_warning(settings, tmp_path):
    settings.GEOIP_PATH = tmp_path / "GeoLite2-City.mmdb"
    settings.GEOIP_PATH.write_bytes(b"no database")
    assert run().keys() == {"W009"}
    write_database(settings.GEOIP_PATH, kind="GeoLite2-ASN")
    assert run().keys() == {"W009"}


def test_a_site_that_keeps_no_places_needs_no_geoip_database(settings, tmp_path):
    settings.GEOIP_PATH = tmp_path
    settings.WAGTAIL_USER_SESSIONS_LOCATION = False
    assert run() == {}


# The documentation


def test_an_admin_without_snippets_is_a_warning(monkeypatch):
    assert "W011" not in run()
    installed = {"wagtail.admin"}
    monkeypatch.setattr("django.apps.apps.is_installed", installed.__contains__)
    assert "W011" in run()
    installed.clear()
    assert "W011" not in run()


def test_the_documentation_lists_each_id():
    code = "".join(
        path.read_text() for path in Path(checks.__file__).parent.glob("*.py")
    )
    calls = re.findall(r"\b(error|warning)\((\d+),", code)
    ids = {f"{kind[0].upper()}{int(number):03}" for kind, number in calls}
    page = Path(__file__).parents[2] / "docs" / "checks.md"
    rows = re.findall(
        r"^\| `wagtail_user_sessions\.([EW]\d{3})` \|", page.read_text(), re.MULTILINE
    )
    assert ids
    assert sorted(rows) == sorted(ids)


def test_an_engine_that_cant_be_imported_keeps_no_command_from_starting():
    code = "import django; django.setup(); print('ready')"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.broken_engine",
        "TEST_DATABASE": "sqlite",
    }
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert ran.stdout.strip() == "ready", ran.stderr
