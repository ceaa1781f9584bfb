"""Which models and receivers keep a deletion from being one statement."""

import pytest
from django.db import models
from django.db.models.signals import post_delete, pre_delete
from django.dispatch import Signal
from django.test.utils import isolate_apps

from tests.conftest import listening
from tests.models import AccountSession
from wagtail_user_sessions.apps import WagtailUserSessionsConfig
from wagtail_user_sessions.models import Session
from wagtail_user_sessions.signals import session_ended
from wagtail_user_sessions.sql import fast_delete
from wagtail_user_sessions.sql.fast_delete import (
    has_delete_side_effects,
    has_site_receivers,
)


def receiver_of(module):
    """Return a receiver whose module has this name."""

    def receive(**kwargs):
        pass

    receive.__module__ = module
    return receive


@pytest.mark.parametrize("model", [Session, AccountSession])
def test_the_packages_own_delete_receivers_are_no_receivers_of_the_site(model):
    assert post_delete.has_listeners(model)
    assert not has_site_receivers(post_delete, model)
    assert not has_delete_side_effects(model)


@pytest.mark.parametrize(
    "module",
    [
        "wagtail_user_sessions",
        "wagtail_user_sessions.signal_handlers",
        "wagtail_user_sessions.sql.fast_delete",
        "wagtail_user_sessions.wagtail_admin.log_actions",
    ],
)
def test_a_receiver_of_any_module_of_the_package_is_none_of_the_site(module):
    signal = Signal()
    with listening(signal, receiver_of(module)):
        assert not has_site_receivers(signal, Session)


@pytest.mark.parametrize(
    "module", ["site.receivers", "wagtail_user_sessions_extra", "wagtail", "", None]
)
def test_a_receiver_of_another_package_is_one_of_the_site(module):
    signal = Signal()
    with (
        listening(signal, receiver_of("wagtail_user_sessions.apps")),
        listening(signal, receiver_of(module), sender=Session),
    ):
        assert has_site_receivers(signal, Session)


def test_a_signal_without_receivers_has_none_of_the_site():
    assert not has_site_receivers(session_ended, Session)


def test_the_package_of_its_own_receivers_is_the_whole_app():
    assert WagtailUserSessionsConfig.name == fast_delete.PACKAGE


@pytest.mark.parametrize("signal", [pre_delete, post_delete])
def test_a_sites_own_delete_receiver_is_a_delete_side_effect(signal):
    with listening(signal, receiver_of(__name__), sender=Session):
        assert has_delete_side_effects(Session)
    assert not has_delete_side_effects(Session)


@pytest.mark.django_db(transaction=True)
@isolate_apps("tests")
def test_parents_and_cascades_are_delete_side_effects():
    class ChildSession(AccountSession):
        class Meta:
            app_label = "tests"

    class ProxySession(AccountSession):
        class Meta:
            proxy = True
            app_label = "tests"

    class Note(models.Model):
        session = models.ForeignKey(AccountSession, models.CASCADE)

        class Meta:
            app_label = "tests"

        def __str__(self):
            return "a note"

    assert has_delete_side_effects(ChildSession)
    assert has_delete_side_effects(ProxySession)
    assert not has_delete_side_effects(Note)
