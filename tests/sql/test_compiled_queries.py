"""Compiled queries: they return and write what the ORM returns and writes."""

import uuid
from datetime import datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, connections, transaction
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.db.models.sql import Query
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.models import AccountSession
from tests.sql.rows import FULL, NOON, OTHER, columns_of
from wagtail_user_sessions.models import Session
from wagtail_user_sessions.sql import compiled_queries, placeholders

pytestmark = pytest.mark.django_db
User = get_user_model()


def is_compiled(model):
    """Return whether a query of the model was compiled, and each one could be."""
    _, bound = getattr(connection, compiled_queries.ATTRIBUTE)
    of_model = [query for key, query in bound.items() if key[0] is model]
    return bool(of_model) and None not in of_model


@pytest.mark.parametrize("columns", [FULL, OTHER, {}], ids=["full", "empty", "default"])
@pytest.mark.parametrize("model", [Session, AccountSession])
def test_get_returns_the_row_as_the_orm_does(make_row, alice, columns, model):
    row = make_row(alice, model, **columns)
    condition = Q(key_hash=row.key_hash, expire_date__gt=timezone.now())
    expected = model.objects.get(condition)
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            found = compiled_queries.get(model, "default", condition)
        assert len(queries) == 1
        assert found == expected
        assert columns_of(found) == columns_of(expected)
        assert type(found.key_hash) is type(expected.key_hash)
        assert found._state.db == expected._state.db
        assert found._state.adding is False
        assert found.get_deferred_fields() == set()
        assert not type(found).user.is_cached(found)
    assert is_compiled(model)


def test_get_without_a_matching_row_returns_none(make_row):
    row = make_row(expire_date=timezone.now())
    condition = Q(key_hash=row.key_hash, expire_date__gt=timezone.now())
    assert compiled_queries.get(Session, "default", condition) is None
    assert compiled_queries.get(Session, "default", Q(key_hash=row.key_hash)) == row
    assert compiled_queries.get(Session, "default", Q(key_hash=bytes(32))) is None


def test_get_uses_the_values_of_each_call(make_row):
    rows = [make_row(name=str(number)) for number in range(5)]
    for row in (*rows, *reversed(rows)):
        condition = Q(key_hash=row.key_hash, expire_date__gt=timezone.now())
        assert compiled_queries.get(Session, "default", condition).name == row.name


def test_get_with_related_reads_the_user_as_the_orm_does(make_row, alice):
    alice.last_login = NOON
    alice.save()
    row = make_row(alice, **FULL)
    expected = Session.objects.select_related("user").get(pk=row.pk)
    with CaptureQueriesContext(connection) as queries:
        found = compiled_queries.get(Session, "default", Q(pk=row.pk), related="user")
        assert columns_of(found.user) == columns_of(expected.user)
        assert type(found.user) is type(expected.user)
        assert found.user._state.db == "default"
    assert len(queries) == 1
    assert columns_of(found) == columns_of(expected)


def test_get_with_related_of_an_anonymous_row_sets_no_user(make_row):
    row = make_row()
    found = compiled_queries.get(Session, "default", Q(pk=row.pk), related="user")
    assert columns_of(found) == columns_of(Session.objects.get(pk=row.pk))
    with CaptureQueriesContext(connection) as queries:
        assert found.user is None
    assert not queries


def test_get_with_related_leaves_a_missing_user_to_the_orm(make_row):
    row = make_row()
    with connection.constraint_checks_disabled():
        Session.objects.filter(pk=row.pk).update(user_id=2**30, session_data="x")
        found = compiled_queries.get(Session, "default", Q(pk=row.pk), related="user")
        assert found.user_id == 2**30
        with pytest.raises(User.DoesNotExist):
            _ = found.user
        Session.objects.filter(pk=row.pk)._raw_delete("default")


@pytest.mark.parametrize(
    "order_by", [("name",), ("-name",), (Lower("os").desc(), "pk")]
)
@pytest.mark.parametrize("limit", [1, 3, 10, None])
def test_fetch_orders_and_limits_as_the_orm_does(make_row, alice, order_by, limit):
    for number in range(4):
        make_row(alice, name=str(number), os="AbaB"[number])
    condition = Q(user_id=alice.pk)
    expected = Session.objects.filter(condition).order_by(*order_by)[:limit]
    for _ in range(2):
        found = compiled_queries.fetch(
            Session,
            "default",
            condition,
            related="user",
            order_by=order_by,
            limit=limit,
        )
        assert found == list(expected)
        assert {row.user for row in found} == {alice}
    assert is_compiled(Session)


def test_fetch_orders_and_limits_what_cant_be_compiled(make_row, monkeypatch):
    monkeypatch.setattr(compiled_queries, "_bound_query", lambda *_: None)
    rows = [make_row(name=str(number)) for number in range(3)]
    found = compiled_queries.fetch(
        Session, "default", Q(), order_by=("-name",), limit=2
    )
    assert found == [rows[2], rows[1]]


def test_queries_of_many_limits_are_not_kept_forever(make_row):
    make_row()
    for limit in range(1, 3 * compiled_queries.MAX_QUERIES):
        compiled_queries.fetch(Session, "default", Q(), limit=limit)
    _, bound = getattr(connection, compiled_queries.ATTRIBUTE)
    shared = compiled_queries._shared_queries(connection)
    assert len(bound) <= compiled_queries.MAX_QUERIES
    assert len(shared) <= compiled_queries.MAX_QUERIES


def test_get_reads_users_by_their_primary_key(alice, bob):
    for user in (alice, bob):
        found = compiled_queries.get(User, "default", Q(pk=user.pk))
        assert columns_of(found) == columns_of(User.objects.get(pk=user.pk))
    assert compiled_queries.get(User, "default", Q(pk=-1)) is None


@pytest.mark.parametrize("name", OTHER)
@pytest.mark.parametrize("columns", [FULL, OTHER], ids=["full", "empty"])
def test_update_writes_each_column_as_the_orm_does(make_row, columns, name):
    ours, orms = make_row(), make_row()
    values = {name: columns[name]}
    assert compiled_queries.update(Session, "default", Q(pk=ours.pk), values) == 1
    assert Session.objects.filter(pk=orms.pk).update(**values) == 1
    written, expected = (Session.objects.get(pk=row.pk) for row in (ours, orms))
    assert getattr(written, name) == getattr(expected, name) == columns[name]
    assert is_compiled(Session)


def test_update_writes_user_and_expiry_with_the_data(make_row, alice, bob):
    row = make_row(alice)
    for user_id in (bob.pk, None, alice.pk):
        columns = {"session_data": "x", "user_id": user_id, "expire_date": NOON}
        assert compiled_queries.update(Session, "default", Q(pk=row.pk), columns) == 1
        found = columns_of(Session.objects.get(pk=row.pk))
        assert {name: found[name] for name in columns} == columns


def test_update_changes_the_key_hash_of_a_row_once(make_row):
    row = make_row()
    new = bytes(range(224, 256))
    condition = Q(key_hash=row.key_hash)
    assert (
        compiled_queries.update(Session, "default", condition, {"key_hash": new}) == 1
    )
    assert (
        compiled_queries.update(Session, "default", condition, {"key_hash": new}) == 0
    )
    assert Session.objects.get(key_hash=new) == row


def test_update_writes_many_columns_with_the_values_of_each_call(make_row):
    row = make_row()
    for columns in (FULL, OTHER, FULL, {**FULL, "ip": None}, OTHER):
        condition = Q(pk=row.pk, key_hash=row.key_hash)
        assert compiled_queries.update(Session, "default", condition, columns) == 1
        found = columns_of(Session.objects.get(pk=row.pk))
        assert {name: found[name] for name in columns} == columns


def test_update_changes_only_rows_that_meet_the_condition(make_row, alice):
    now = timezone.now()
    old = now - timedelta(hours=1)
    never, late, recent = (make_row(alice, last_activity=m) for m in (None, old, now))
    due = Q(last_activity=None) | Q(last_activity__lt=now - timedelta(minutes=1))
    for row, changed in ((never, 1), (late, 1), (recent, 0)):
        condition = Q(due, pk=row.pk, user_id=alice.pk)
        columns = {"last_activity": now}
        assert (
            compiled_queries.update(Session, "default", condition, columns) == changed
        )
        condition = Q(due, pk=row.pk, user_id=alice.pk + 1)
        assert compiled_queries.update(Session, "default", condition, columns) == 0
    kept = ~Q(name="kept") & Q(pk=recent.pk)
    assert compiled_queries.update(Session, "default", kept, {"name": "kept"}) == 1
    assert compiled_queries.update(Session, "default", kept, {"name": "kept"}) == 0


def test_without_use_tz_naive_datetimes_are_read_and_written(make_row, settings):
    row = make_row(last_activity=NOON)
    aware = compiled_queries.get(Session, "default", Q(pk=row.pk))
    assert timezone.is_aware(aware.last_activity)
    settings.USE_TZ = False
    found = compiled_queries.get(Session, "default", Q(pk=row.pk))
    assert columns_of(found) == columns_of(Session.objects.get(pk=row.pk))
    assert timezone.is_naive(found.last_activity)
    naive = datetime(2026, 1, 2, 3, 4)
    compiled_queries.update(Session, "default", Q(pk=row.pk), {"last_activity": naive})
    assert Session.objects.get(pk=row.pk).last_activity == naive


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York"])
def test_get_returns_datetimes_as_the_orm_does_in_other_time_zones(
    make_row, settings, zone
):
    row = make_row(last_activity=NOON)
    settings.TIME_ZONE = zone
    found = compiled_queries.get(Session, "default", Q(pk=row.pk))
    assert columns_of(found) == columns_of(Session.objects.get(pk=row.pk))


def test_a_compiled_query_follows_the_search_path_to_another_schema(make_row):
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has a search_path")
    row = make_row(name="public")
    table = Session._meta.db_table
    assert compiled_queries.get(Session, "default", Q(pk=row.pk)).name == "public"
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA tenant")
        cursor.execute(f"CREATE TABLE tenant.{table} (LIKE public.{table})")
        cursor.execute(f"INSERT INTO tenant.{table} SELECT * FROM public.{table}")
        cursor.execute(f"UPDATE tenant.{table} SET name = 'tenant'")
        cursor.execute("SET LOCAL search_path TO tenant, public")
        assert compiled_queries.get(Session, "default", Q(pk=row.pk)).name == "tenant"
        assert (
            compiled_queries.update(Session, "default", Q(pk=row.pk), {"name": "new"})
            == 1
        )
        cursor.execute("SET LOCAL search_path TO public")
    assert compiled_queries.get(Session, "default", Q(pk=row.pk)).name == "public"


@pytest.fixture
def preparing():
    """The alias of a connection on which PostgreSQL prepares the statements."""
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL prepares statements")
    other = connection.copy("preparing")
    other.settings_dict["OPTIONS"] = {
        "server_side_binding": True,
        "prepare_threshold": 1,
    }
    connections["preparing"] = other
    yield "preparing"
    other.close()
    del connections["preparing"]


@pytest.mark.django_db(transaction=True)
def test_prepared_statements_of_the_server_return_the_same_rows(
    make_row, preparing, alice
):
    row = make_row(user=alice, **FULL)
    for values in (OTHER, FULL) * 2:
        condition = Q(pk=row.pk, user_id=alice.pk)
        assert compiled_queries.update(Session, preparing, condition, values) == 1
        known = Q(key_hash__in=(row.key_hash, bytes(32)))
        (read,) = compiled_queries.fetch(Session, preparing, known, related="user")
        assert columns_of(read) == columns_of(Session.objects.get())
        assert (read.name, read.user) == (values["name"], alice)
    with connections[preparing].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s",
            [f"%{Session._meta.db_table}%"],
        )
        assert cursor.fetchone()[0] >= 2


def test_an_update_that_fails_marks_the_transaction_for_rollback(make_row):
    row, other = make_row(), make_row()
    columns = {"key_hash": other.key_hash}
    with transaction.atomic():
        with pytest.raises(IntegrityError):
            compiled_queries.update(Session, "default", Q(pk=row.pk), columns)
        assert connection.needs_rollback
        transaction.set_rollback(True)
    assert Session.objects.count() == 2


def test_update_with_an_expression_is_left_to_the_orm(make_row):
    row = make_row(version=5)
    columns = {"version": F("version") + 1, "name": "x"}
    assert compiled_queries.update(Session, "default", Q(pk=row.pk), columns) == 1
    assert Session.objects.get(pk=row.pk).version == 6


def test_get_falls_back_to_the_orm_if_the_alias_cant_be_changed(
    make_row, alice, monkeypatch
):
    row = make_row(alice, name="there")

    def refuse(query, names):
        raise KeyError(names)

    compiled_queries.clear()
    monkeypatch.setattr(Query, "change_aliases", refuse)
    found = compiled_queries.get(Session, "default", Q(pk=row.pk), related="user")
    assert (found.name, found.user) == ("there", alice)
    compiled_queries.clear()


def test_queries_that_cant_be_compiled_are_left_to_the_orm(
    make_row, alice, monkeypatch
):
    row = make_row(alice, name="old")

    def refuse(field):
        return True

    compiled_queries.clear()
    monkeypatch.setattr(placeholders, "_has_placeholder_sql", refuse)
    found = compiled_queries.get(Session, "default", Q(pk=row.pk), related="user")
    assert (found.name, found.user) == ("old", alice)
    assert compiled_queries.get(Session, "default", Q(pk=uuid.uuid4())) is None
    assert (
        compiled_queries.update(Session, "default", Q(pk=row.pk), {"name": "new"}) == 1
    )
    assert Session.objects.get(pk=row.pk).name == "new"
    compiled_queries.clear()


def test_get_with_related_makes_no_user_for_an_anonymous_row(make_row, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a user without values")

    row = make_row()
    monkeypatch.setattr(User, "from_db", refuse)
    assert compiled_queries.get(Session, "default", Q(pk=row.pk), related="user") == row
