"""Check for modules that hold Django's ``Session``."""

import importlib.util
import sys
from types import ModuleType

import pytest
from django.contrib import admin
from django.db import models
from django.test.utils import isolate_apps
from django.utils.functional import SimpleLazyObject

from tests.checks.messages import run
from tests.checks.project import checked
from wagtail_user_sessions.checks import django_session

SITE = "site_of_ours.jobs"


@pytest.fixture
def session(monkeypatch):
    """A model in the place of Django's, whose app isn't installed here."""
    module = ModuleType(django_session.MODULE)
    with isolate_apps("tests"):

        class Session(models.Model):  # noqa: DJ008
            class Meta:
                app_label = "tests"

        module.Session = Session
        monkeypatch.setitem(sys.modules, django_session.MODULE, module)
        yield Session


@pytest.fixture
def use(monkeypatch):
    """Imports a module with these attributes."""

    def use(name=SITE, **attributes):
        module = ModuleType(name)
        vars(module).update(attributes)
        monkeypatch.setitem(sys.modules, name, module)

    return use


def named():
    message = run().get("W020")
    return message and message.msg


def test_nobody_who_uses_djangos_class_is_no_warning(session, use):
    use(session=object(), Session="django.contrib.sessions.models.Session")
    assert run() == {}


def test_a_site_without_djangos_class_is_no_warning(use):
    use(Session=type("Session", (), {}))
    assert run() == {}


@pytest.mark.parametrize("name", ["Session", "S", "_django_session"])
def test_a_module_with_djangos_class_under_any_name_is_a_warning(session, use, name):
    use(**{name: session})
    messages = run()
    assert messages.keys() == {"W020"}
    assert SITE in messages["W020"].msg
    assert "wagtail_user_sessions.models.Session" in messages["W020"].hint
    assert ".revoke()" in messages["W020"].hint


def test_the_hint_names_the_model_of_the_sites_own_engine(session, use, settings):
    settings.SESSION_ENGINE = "tests.models"
    use(Session=session)
    assert "tests.models.AccountSession" in run()["W020"].hint


def test_what_belongs_to_the_class_is_a_warning_too(session, use):
    class Own(session):
        class Meta:
            app_label = "tests"
            proxy = True

    viewset = type("ViewSet", (), {"model": session, "__module__": "site_of_ours.e"})
    use("site_of_ours.a", own=Own)
    use("site_of_ours.b", models=sys.modules[django_session.MODULE])
    use("site_of_ours.c", sessions=session.objects)
    use("site_of_ours.e", ViewSet=viewset)
    use("site_of_ours.f", ViewSet=viewset)
    expected = "site_of_ours.a, site_of_ours.b, site_of_ours.c, site_of_ours.e."
    assert named() == f"Django's own Session is used by {expected}"


def test_a_model_that_refers_to_it_is_a_warning(session):
    class Cart(models.Model):  # noqa: DJ008
        owner = models.ForeignKey(session, models.CASCADE)

        class Meta:
            app_label = "tests"

    assert Cart.owner.field.model is Cart
    assert __name__ in named()


class SessionAdmin(admin.ModelAdmin):
    pass


@pytest.mark.parametrize(
    ("admin_class", "name"),
    [(SessionAdmin, __name__), (admin.ModelAdmin, "the admin site 'backstage'")],
)
def test_an_admin_of_it_is_a_warning(session, admin_class, name):
    site = admin.AdminSite("backstage")
    site.register(session, admin_class)
    assert name in named()


def test_modules_of_django_and_of_the_package_are_no_warning(session, use):
    use("django.contrib.sessions.backends.other", Session=session)
    use("wagtail_user_sessions.other", Session=session)
    assert named() is None
    use("django_of_ours.other", Session=session)
    assert "django_of_ours.other" in named()


def test_another_engine_makes_it_the_right_class(session, use, settings):
    use(Session=session)
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.db"
    assert "W020" not in run()
    settings.SESSION_ENGINE = "no.such.engine"
    assert "W020" not in run()


def test_lazy_objects_and_odd_modules_are_left_alone(session, use, monkeypatch):
    lazy = SimpleLazyObject(lambda: pytest.fail("it was made"))
    use(lazy=lazy, Session=session)
    monkeypatch.setitem(sys.modules, "site_of_ours.nothing", None)
    monkeypatch.setitem(sys.modules, "site_of_ours.lazy", lazy)
    spec = importlib.util.find_spec("this")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    sleeper = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sleeper)
    monkeypatch.setitem(sys.modules, "this", sleeper)
    assert SITE in named()
    assert type(sleeper) is not ModuleType


def test_urls_that_can_not_be_imported_crash_no_check(session, use, settings):
    settings.ROOT_URLCONF = "no.such.urls"
    use(Session=session)
    assert SITE in django_session.check_session_class()[0].msg


JOBS = "from django.contrib.sessions.models import Session as S\n"
URLS = "from tests.urls import urlpatterns\nfrom cloakroom import views\n"


def test_the_command_check_names_an_app_that_imports_it_with_its_urls(tmp_path):
    said = checked(
        tmp_path,
        "INSTALLED_APPS += ['cloakroom', 'django.contrib.sessions']\n"
        "ROOT_URLCONF = 'cloakroom.urls'",
        "--tag=wagtail_user_sessions",
        cloakroom__views=JOBS,
        cloakroom__urls=URLS,
    )
    assert "W020) Django's own Session is used by cloakroom.views." in said
    assert "cloakroom.views uses its Session" in said
    assert "Take it out" not in said
