"""Saving beside others who save: each row of the table in docs/saving.md."""

import itertools
import pickle
from datetime import UTC, datetime

import pytest
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model, login
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import OperationalError, connection, models, transaction
from django.db.models.functions import Length
from django.db.models.signals import post_init
from django.http import HttpRequest
from django.test.utils import isolate_apps
from django.utils import timezone

from tests.conftest import listening, set_user, sign_in
from tests.models import AccountSession
from tests.models import SessionStore as AccountStore
from wagtail_user_sessions.backends import base, row_values
from wagtail_user_sessions.backends.db import SessionStore as DBStore
from wagtail_user_sessions.models import AbstractSession, Session

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def session(store):
    session = store()
    session.update({"kept": 1, "deleted": 2, "nested": {"list": [1]}})
    session.save()
    return session


def again(session):
    """The same session as another request loads it."""
    other = type(session)(session.session_key)
    other.keys()
    return other


def stored(session):
    return dict(again(session).items())


def row_of(session):
    return Session.objects.for_key(session.session_key).get()


# Data unchanged


def test_unchanged_data_moves_the_expiry_and_no_version(session, statements):
    before = row_of(session)
    later = again(session)
    with statements() as made:
        later.save()
    after = row_of(session)
    assert made.verbs == ["UPDATE"]
    assert after.expire_date > before.expire_date
    assert (after.version, after.session_data) == (before.version, before.session_data)


def test_unchanged_data_of_an_ended_session_is_refused(session):
    late = again(session)
    session.delete()
    with pytest.raises(UpdateError):
        late.save()
    assert not Session.objects.exists()


def test_a_value_that_python_calls_equal_is_a_change(session):
    session["kept"] = True
    session.save()
    assert stored(session)["kept"] is True


def test_unchanged_data_does_not_lengthen_what_another_has_shortened(session):
    idle, shortening = again(session), again(session)
    shortening.set_expiry(60)
    shortening.save()
    idle.save()
    assert (row_of(session).expire_date - timezone.now()).total_seconds() <= 60


# Replace


def test_what_was_cleared_unread_under_a_dead_key_gets_a_new_one(store, session):
    dead_key = session.session_key
    session.delete()
    clearing = store(dead_key)
    clearing.clear()
    clearing["new"] = 1
    clearing.save()
    assert clearing.session_key != dead_key
    assert stored(clearing) == {"new": 1}


@pytest.mark.parametrize("is_loaded", [True, False])
def test_after_clear_the_data_replaces_whatever_is_there(session, is_loaded):
    clearing = again(session) if is_loaded else type(session)(session.session_key)
    clearing.clear()
    clearing["new"] = 1
    other = again(session)
    other["theirs"] = 1
    other.save()
    clearing.save()
    assert stored(session) == {"new": 1}


def test_after_create_the_data_replaces_whatever_is_there(store):
    session = store()
    session.create()
    other = again(session)
    other["theirs"] = 1
    other.save()
    session["ours"] = 1
    session.save()
    assert stored(session) == {"ours": 1}


def test_after_flush_the_data_goes_into_a_new_row(session, store):
    old_key = session.session_key
    session.flush()
    session["new"] = 1
    session.save()
    assert not store().exists(old_key)
    assert stored(session) == {"new": 1}
    assert Session.objects.count() == 1


def test_a_session_that_was_never_loaded_is_replaced_by_what_is_saved(store, session):
    with pytest.raises(CreateError):
        store(session.session_key).save(must_create=True)
    assert stored(session)["kept"] == 1


# Version still the same


def test_changed_data_is_one_update_without_a_transaction(session, statements):
    changing = again(session)
    changing["kept"] = 3
    with statements() as made:
        changing.save()
    assert made.verbs == ["UPDATE"]
    assert "key_hash" in made.all[0].split("WHERE")[1]
    assert "version" in made.all[0].split("WHERE")[1]
    assert stored(session)["kept"] == 3


def test_a_change_inside_a_value_is_saved(session):
    changing = again(session)
    changing["nested"]["list"].append(2)
    changing.save()
    assert stored(session)["nested"] == {"list": [1, 2]}


# Version moved, nobody changed the triple


def test_both_keep_their_keys_and_a_deletion_holds(session):
    ours, theirs = again(session), again(session)
    ours["ours"] = 1
    del ours["deleted"]
    theirs["theirs"] = 1
    theirs["kept"] = "changed"
    theirs.save()
    ours.save()
    expected = {"kept": "changed", "nested": {"list": [1]}, "ours": 1, "theirs": 1}
    assert stored(session) == expected
    assert dict(ours.items()) == expected


def test_of_two_values_of_one_key_the_later_holds(session):
    ours, theirs = again(session), again(session)
    ours["kept"], theirs["kept"] = "ours", "theirs"
    theirs.save()
    ours.save()
    assert stored(session)["kept"] == "ours"


def test_a_key_that_they_deleted_and_we_left_alone_is_gone(session):
    ours, theirs = again(session), again(session)
    del theirs["deleted"]
    ours["ours"] = 1
    theirs.save()
    ours.save()
    assert "deleted" not in stored(session)


def test_what_a_merge_took_over_survives_a_second_save(session):
    ours, theirs = again(session), again(session)
    theirs["theirs"] = 1
    theirs.save()
    ours["ours"] = 1
    ours.save()
    ours["more"] = 1
    ours.save()
    assert stored(session)["theirs"] == 1


def test_a_value_that_nobody_changed_stays_the_object_that_the_request_holds(session):
    ours, theirs = again(session), again(session)
    held = ours["nested"]
    theirs["theirs"] = 1
    theirs.save()
    ours["ours"] = 1
    ours.save()
    held["list"].append(2)
    ours.save()
    assert stored(session)["nested"] == {"list": [1, 2]}


# Version moved, only we changed the triple


def test_a_visitor_who_signs_in_keeps_what_others_changed(session, alice):
    ours, theirs = again(session), again(session)
    theirs["theirs"] = 1
    theirs.save()
    set_user(ours, alice)
    ours.save()
    assert stored(session)["theirs"] == 1
    assert row_of(session).user == alice


def test_another_user_replaces_what_others_changed(store, alice, bob):
    session = sign_in(store, alice, secret="of alice")
    ours, theirs = again(session), again(session)
    theirs["theirs"] = "of alice"
    theirs.save()
    ours.clear()
    set_user(ours, bob)
    ours.save()
    assert row_of(session).user == bob
    assert "of alice" not in stored(session).values()


def test_who_changes_from_one_user_to_another_in_place_takes_nothing_over(
    store, alice, bob
):
    session = sign_in(store, alice)
    ours, theirs = again(session), again(session)
    theirs["theirs"] = "of alice"
    theirs.save()
    set_user(ours, bob)
    ours.save()
    assert "theirs" not in stored(session)


def test_who_signs_out_in_place_takes_nothing_over(store, alice):
    session = sign_in(store, alice)
    ours, theirs = again(session), again(session)
    theirs["theirs"] = "of alice"
    theirs.save()
    for key in list(ours.keys()):
        del ours[key]
    ours.save()
    row = row_of(session)
    assert stored(session) == {}
    assert (row.user, row.signed_in_at, row.auth_digest) == (None, None, None)


def test_a_new_password_replaces_what_others_changed(store, alice):
    session = sign_in(store, alice)
    ours, theirs = again(session), again(session)
    theirs["theirs"] = 1
    theirs.save()
    ours[HASH_SESSION_KEY] = "another hash"
    ours.save()
    assert "theirs" not in stored(session)
    assert stored(session)[HASH_SESSION_KEY] == "another hash"


# Version moved, they changed the triple


def test_a_save_beside_a_sign_in_is_refused(session, alice):
    ours, theirs = again(session), again(session)
    set_user(theirs, alice)
    theirs.save()
    ours["ours"] = 1
    with pytest.raises(UpdateError):
        ours.save()
    assert "ours" not in stored(session)
    assert row_of(session).user == alice


def test_two_sign_ins_of_one_session_leave_one_user(session, alice, bob):
    ours, theirs = again(session), again(session)
    set_user(theirs, alice)
    theirs.save()
    set_user(ours, bob)
    with pytest.raises(UpdateError):
        ours.save()
    assert stored(session)[SESSION_KEY] == str(alice.pk)


def test_a_save_beside_a_change_of_password_is_refused(store, alice):
    session = sign_in(store, alice)
    ours, theirs = again(session), again(session)
    theirs[HASH_SESSION_KEY] = "another hash"
    theirs.save()
    ours["ours"] = 1
    with pytest.raises(UpdateError):
        ours.save()


# Row gone


def test_a_late_save_never_revives_an_ended_session(session):
    late = again(session)
    late["more"] = 1
    Session.objects.all().delete()
    for _ in range(2):
        with pytest.raises(UpdateError):
            late.save()
        late.load()
    assert not Session.objects.exists()


def test_a_refused_save_is_a_bad_request_wherever_it_is_raised(session):
    session.delete()
    session["more"] = 1
    with pytest.raises(SessionInterrupted):
        session.save()


def test_every_error_of_the_database_is_a_refusal(session, monkeypatch):
    changing = again(session)
    changing["kept"] = 2
    monkeypatch.setattr(changing, "encode", lambda data: None)
    with pytest.raises(UpdateError):
        changing.save()
    assert stored(session)["kept"] == 1


def test_a_session_of_a_user_who_is_gone_is_refused(store, alice):
    session = store()
    set_user(session, alice)
    alice.delete()
    with pytest.raises(UpdateError):
        session.save()


def test_a_first_save_that_failed_can_be_made_again(store, monkeypatch):
    session = store()
    session["a"] = 1
    save = Session.save

    def fail_once(*args, **kwargs):
        monkeypatch.setattr(Session, "save", save)
        raise OperationalError

    monkeypatch.setattr(Session, "save", fail_once)
    with pytest.raises(UpdateError):
        session.save()
    session.save()
    assert stored(session) == {"a": 1}


def test_sets_that_nobody_changed_are_no_change(store):
    class Pickle:
        def dumps(self, data):
            return pickle.dumps(data, 4)

        def loads(self, data):
            return pickle.loads(data)

    class PickleStore(store):
        def __init__(self, session_key=None):
            super().__init__(session_key)
            self.serializer = Pickle

    session = PickleStore()
    session["letters"] = set("abcdefghijklmnop")
    session.save()
    for number in range(20):
        ours, theirs = again(session), again(session)
        theirs["letters"].add(str(number))
        theirs.save()
        ours["number"] = number
        ours.save()
    assert len(stored(session)["letters"]) == 36


# Keys


def test_a_new_key_keeps_row_name_and_birth_and_kills_the_old_key(
    store, alice, statements
):
    session = sign_in(store, alice)
    Session.objects.update(name="My desk")
    before, old_key = row_of(session), session.session_key
    with statements() as made:
        session.cycle_key()
    after = row_of(session)
    assert made.verbs == ["UPDATE"]
    assert (after.pk, after.name, after.created_at) == (
        before.pk,
        "My desk",
        before.created_at,
    )
    assert store(old_key).load() == {}
    assert session.session_key != old_key


def test_a_save_under_the_old_key_is_refused(session):
    late = again(session)
    session.cycle_key()
    late["more"] = 1
    with pytest.raises(UpdateError):
        late.save()


def test_a_visitors_session_that_is_gone_gets_a_new_row_as_its_key_changes(session):
    signing_in = again(session)
    session.delete()
    signing_in.cycle_key()
    assert stored(signing_in)["kept"] == 1


def test_a_users_session_that_is_gone_gets_no_new_key(store, alice):
    session = sign_in(store, alice)
    late = again(session)
    session.delete()
    with pytest.raises(UpdateError):
        late.cycle_key()
    assert not Session.objects.exists()


# Transactions


def test_a_write_that_was_rolled_back_is_written_by_the_next_save(session):
    changing = again(session)
    changing["more"] = 1
    with transaction.atomic():
        changing.save()
        transaction.set_rollback(True)
    changing.save()
    assert stored(session)["more"] == 1


def test_what_is_deleted_after_an_uncommitted_save_stays_deleted(session):
    changing = again(session)
    with transaction.atomic():
        changing["more"] = 1
        changing.save()
        del changing["more"]
        changing.save()
    assert "more" not in stored(session)


def test_a_save_in_a_savepoint_that_was_rolled_back_is_not_the_base(session):
    changing = again(session)
    with transaction.atomic():
        changing["first"] = 1
        changing.save()
        with transaction.atomic():
            changing["second"] = 1
            changing.save()
            transaction.set_rollback(True)
        changing["third"] = 1
        changing.save()
    assert {"first", "second", "third"} <= stored(session).keys()


def test_a_row_whose_birth_was_rolled_back_is_born_again(store):
    session = store()
    with transaction.atomic():
        session["more"] = 1
        session.save()
        transaction.set_rollback(True)
    session.save()
    assert stored(session) == {"more": 1}


def test_a_key_that_was_rolled_back_is_made_new_after_all(session, store):
    old_key = session.session_key
    with transaction.atomic():
        session.cycle_key()
        transaction.set_rollback(True)
    assert store(old_key).get("kept") == 1
    session["more"] = 1
    session.save()
    assert store(old_key).load() == {}
    assert stored(session)["more"] == 1


def test_a_flush_that_was_rolled_back_is_repeated(session, store):
    old_key = session.session_key
    with transaction.atomic():
        session.flush()
        transaction.set_rollback(True)
    assert store(old_key).get("kept") == 1
    session.handle_rollbacks()
    assert store(old_key).load() == {}


def test_a_sign_out_after_a_key_that_was_rolled_back_ends_the_row(store, alice):
    session = again(sign_in(store, alice))
    with transaction.atomic():
        session.cycle_key()
        transaction.set_rollback(True)
    session.flush()
    assert not alice.session_set.exists()


def test_who_signs_in_again_after_a_rollback_has_one_session(engine, alice):
    request = HttpRequest()
    request.session = engine.SessionStore()
    alice.backend = "django.contrib.auth.backends.ModelBackend"
    with transaction.atomic():
        login(request, alice)
        request.session.save()
        transaction.set_rollback(True)
    login(request, alice)
    request.session.save()
    assert alice.session_set.count() == 1


@pytest.mark.parametrize("is_new", [True, False])
def test_a_hook_of_the_site_may_save_while_the_commit_is_told(store, alice, is_new):
    session = store()
    if not is_new:
        session["a"] = 1
        session.save()
        session = again(session)

    def hook():
        session["hook"] = 1
        session.save()

    with transaction.atomic():
        transaction.on_commit(hook)
        set_user(session, alice)
        session.save()
        key = session.session_key
    assert session.session_key == key
    assert stored(session)["hook"] == 1
    assert alice.session_set.count() == 1


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite has no row locks")
def test_a_merge_whose_commit_was_given_up_is_made_again(session, monkeypatch):
    ours, theirs = again(session), again(session)
    theirs["theirs"] = 1
    theirs.save()
    ours["ours"] = 1
    commit, failures = connection._commit, [1213]

    def give_up_once():
        if not failures:
            return commit()
        connection._rollback()
        raise OperationalError("given up") from Exception(failures.pop())

    monkeypatch.setattr(connection, "_commit", give_up_once)
    ours.save()
    assert failures == []
    assert {"ours", "theirs"} <= stored(session).keys()


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite has no row locks")
def test_a_merge_reads_the_newest_row_under_a_lock(session, statements):
    ours, theirs = again(session), again(session)
    theirs["theirs"] = 1
    theirs.save()
    ours["ours"] = 1
    with statements() as made:
        ours.save()
    assert [sql.split()[0] for sql in made.all if "SELECT" in sql] == ["SELECT"]
    assert any("FOR UPDATE" in sql for sql in made.all)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="others have row locks")
def test_a_merge_without_row_locks_opens_no_transaction(session, statements):
    ours, theirs = again(session), again(session)
    theirs["theirs"] = 1
    theirs.save()
    ours["ours"] = 1
    with statements() as made:
        ours.save()
    assert made.verbs == ["UPDATE", "SELECT", "UPDATE"]


# Columns


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


def test_what_an_engine_of_a_sites_own_makes_of_our_columns_is_saved(store):
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


def test_what_one_session_was_given_to_make_its_row_is_called(session):
    def make(data):
        row = type(session).create_model_instance(session, data)
        row.expire_date = FAR
        return row

    session.create_model_instance = make
    session["kept"] = 2
    session.save()
    assert row_of(session).expire_date == FAR


def test_what_a_receiver_makes_of_a_new_row_is_saved(session):
    def extend(instance, **kwargs):
        instance.expire_date = FAR

    session["kept"] = 2
    with listening(post_init, extend, sender=Session):
        session.save()
    assert row_of(session).expire_date == FAR
    assert stored(session)["kept"] == 2


def test_a_save_makes_no_row_where_nobody_takes_part(session, monkeypatch):
    def refuse(self, data):
        raise AssertionError("a row")

    monkeypatch.setattr(base, "CREATE_MODEL_INSTANCE", refuse)
    monkeypatch.setattr(base.RowStore, "create_model_instance", refuse)
    session["kept"] = 2
    session.save()
    assert stored(session)["kept"] == 2
    assert set(session._columns_of({})) == set(row_values.DATA_COLUMNS)


def test_own_columns_that_fill_themselves_do():
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


def test_a_store_saved_outside_a_request_wipes_no_facts(store, browser, alice):
    client = browser(alice)
    before = alice.session_set.get()
    session = store(client.cookies["sessionid"].value)
    session["more"] = 1
    session.save()
    after = alice.session_set.get()
    assert before.browser == "Chrome"
    assert (after.ip, after.browser, after.os) == (before.ip, before.browser, before.os)


def test_an_anonymous_session_may_live_shorter(store, settings, alice):
    settings.WAGTAIL_USER_SESSIONS_ANONYMOUS_AGE = 600
    visitor = store()
    visitor["a"] = 1
    visitor.save()
    assert (row_of(visitor).expire_date - timezone.now()).total_seconds() <= 600
    session = sign_in(store, alice)
    assert (row_of(session).expire_date - timezone.now()).total_seconds() > 600
    assert session.get_expiry_age() == settings.SESSION_COOKIE_AGE


def test_postgresql_leaves_room_for_activity_updates():
    if connection.vendor != "postgresql":
        pytest.skip("a setting of PostgreSQL's tables")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reloptions FROM pg_class WHERE relname = %s",
            [Session._meta.db_table],
        )
        assert cursor.fetchone()[0] == ["fillfactor=90"]


def test_columns_of_a_fixed_size_come_first_and_leave_no_gaps():
    if connection.vendor != "postgresql":
        pytest.skip("of other databases rows have no gaps")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attlen FROM pg_attribute WHERE attrelid = %s::regclass"
            " AND attnum > 0 ORDER BY attnum",
            [Session._meta.db_table],
        )
        sizes = [size for (size,) in cursor.fetchall()]
    fixed = [size for size in sizes if size > 0]
    assert sizes[: len(fixed)] == fixed == sorted(fixed, reverse=True)
    assert fixed[:6] == [16, 8, 8, 8, 8, 8]


def test_the_key_hash_has_one_index_and_activity_columns_have_none():
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(
            cursor, Session._meta.db_table
        ).values()
    indexed = [tuple(found["columns"]) for found in constraints if found["index"]]
    unique = [tuple(found["columns"]) for found in constraints if found["unique"]]
    assert unique.count(("key_hash",)) == 1
    assert {column for columns in indexed for column in columns} <= {
        "id",
        "key_hash",
        "expire_date",
        "user_id",
        "signed_in_at",
    }
