"""The columns of a row that follow from session data."""

import itertools
from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, models
from django.db.models.functions import Length
from django.db.models.signals import post_init
from django.test.utils import isolate_apps
from django.utils import timezone

from tests.backends.stored_sessions import row_of, stored
from tests.conftest import listening, sign_in
from tests.models import AccountSession
from tests.models import SessionStore as AccountStore
from wagtail_user_sessions.backends import base, row_values
from wagtail_user_sessions.backends.db import SessionStore as DBStore
from wagtail_user_sessions.models import AbstractSession, Session

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_row_takes_its_user_from_the_data(store, alice):
    session = sign_in(store, alice)
    row = row_of(session)
    assert row.user == alice
    assert row.is_active
    assert row.signed_in_at <= timezone.now()
    assert list(alice.session_set.active()) == [row]


def test_versions_grow_by_random_steps(session):
    versions = [row_of(session).version]
    for number in range(5):
        session["kept"] = number * 10
        session.save()
        versions.append(row_of(session).version)
    steps = [later - earlier for earlier, later in itertools.pairwise(versions)]
    assert all(step > 0 for step in steps)
    assert len(set(steps)) > 1


def test_a_sites_own_column_is_written_with_every_change():
    session = AccountStore()
    session["account_id"] = 7
    session.save()
    assert AccountSession.objects.get().account_id == 7
    session["account_id"] = 8
    session.save()
    assert AccountSession.objects.get().account_id == 8
    assert session.get_expiry_age() == 60 * 60 * 24


FAR = datetime(2999, 1, 1, tzinfo=UTC)


def test_columns_set_by_a_site_engine_are_saved(store):
    class SitesOwn(store):
        def create_model_instance(self, data):
            row = super().create_model_instance(data)
            row.expire_date = FAR
            return row

    session = SitesOwn()
    for value in (1, 2):
        session["value"] = value
        session.save()
        assert row_of(session).expire_date == FAR
        assert row_of(session).get_decoded() == {"value": value}


def test_create_model_instance_replaced_on_one_store_is_called(session):
    def make(data):
        row = type(session).create_model_instance(session, data)
        row.expire_date = FAR
        return row

    session.create_model_instance = make
    session["kept"] = 2
    session.save()
    assert row_of(session).expire_date == FAR


def test_columns_set_by_a_post_init_receiver_are_saved(session):
    def extend(instance, **kwargs):
        instance.expire_date = FAR

    session["kept"] = 2
    with listening(post_init, extend, sender=Session):
        session.save()
    assert row_of(session).expire_date == FAR
    assert stored(session)["kept"] == 2


def test_save_without_customization_creates_no_instance(session, monkeypatch):
    def refuse(self, data):
        raise AssertionError("a row")

    monkeypatch.setattr(base, "CREATE_MODEL_INSTANCE", refuse)
    monkeypatch.setattr(base.RowStore, "create_model_instance", refuse)
    session["kept"] = 2
    session.save()
    assert stored(session)["kept"] == 2
    assert set(session._columns_of({})) == set(row_values.DATA_COLUMNS)


def test_auto_now_and_generated_columns_of_a_site_are_filled():
    with isolate_apps("tests"):

        class StampedSession(AbstractSession):
            user = models.ForeignKey(
                get_user_model(), models.CASCADE, null=True, related_name="+"
            )
            saved_at = models.DateTimeField(auto_now=True)
            length = models.GeneratedField(
                expression=Length("session_data"),
                output_field=models.IntegerField(),
                db_persist=True,
            )

            class Meta:
                app_label = "tests"

    class StampedStore(DBStore):
        @classmethod
        def get_model_class(cls):
            return StampedSession

    with connection.schema_editor() as editor:
        editor.create_model(StampedSession)
    try:
        session = StampedStore()
        session["a"] = 1
        session.save()
        before = StampedSession.objects.get()
        session["a"] = "longer"
        session.save()
        after = StampedSession.objects.get()
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(StampedSession)
    assert after.saved_at > before.saved_at
    assert after.length == len(after.session_data)


def test_save_outside_a_request_keeps_the_client_columns(store, browser, alice):
    client = browser(alice)
    before = alice.session_set.get()
    session = store(client.cookies["sessionid"].value)
    session["more"] = 1
    session.save()
    after = alice.session_set.get()
    assert before.browser == "Chrome"
    assert (after.ip, after.browser, after.os) == (before.ip, before.browser, before.os)


def test_anonymous_age_shortens_anonymous_sessions_alone(store, settings, alice):
    settings.WAGTAIL_USER_SESSIONS_ANONYMOUS_AGE = 600
    visitor = store()
    visitor["a"] = 1
    visitor.save()
    assert (row_of(visitor).expire_date - timezone.now()).total_seconds() <= 600
    session = sign_in(store, alice)
    assert (row_of(session).expire_date - timezone.now()).total_seconds() > 600
    assert session.get_expiry_age() == settings.SESSION_COOKIE_AGE
