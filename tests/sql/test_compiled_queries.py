"""Statements that are compiled once: what they answer is what the ORM answers."""

import gc
import threading
import uuid
import weakref
from datetime import UTC, datetime, timedelta
from types import ModuleType

import pytest
from django.contrib.auth import get_user_model
from django.db import (
    IntegrityError,
    OperationalError,
    connection,
    connections,
    models,
    transaction,
)
from django.db.models import F, Q
from django.db.models.sql import Query
from django.test.utils import CaptureQueriesContext, isolate_apps
from django.utils import timezone

from tests.models import AccountSession
from wagtail_user_sessions.models import Session
from wagtail_user_sessions.sql import compiled_queries, placeholders, query_compiler
from wagtail_user_sessions.sql.placeholders import NotCompilable

pytestmark = pytest.mark.django_db
User = get_user_model()

NOON = datetime(2026, 5, 4, 12, 0, 0, 123456, tzinfo=UTC)
FULL = {
    "version": 2**62,
    "session_data": "data: % %s \\ ' \" é 🙂",
    "created_at": NOON,
    "signed_in_at": NOON,
    "auth_digest": bytes(range(16)),
    "last_activity": NOON,
    "ip": "2001:db8::1",
    "user_agent": "Ünknown/1.0",
    "device_kind": "mobile",
    "browser": "Chrome",
    "os": "Android",
    "city": "Zürich",
    "country": "CH",
    "name": "my %s phone",
}
OTHER = {
    "version": -1,
    "session_data": "",
    "created_at": NOON + timedelta(days=1),
    "signed_in_at": None,
    "auth_digest": None,
    "last_activity": None,
    "ip": None,
    "user_agent": "",
    "name": "",
}


@pytest.fixture
def make_row():
    def make(user=None, model=Session, **columns):
        number = model.objects.count()
        columns = {
            "key_hash": bytes([number, 0xFF, 0, 0x27]) * 8,
            "expire_date": timezone.now() + timedelta(days=1),
            **columns,
        }
        return model.objects.create(user=user, **columns)

    return make


def columns_of(row):
    return {field.attname: getattr(row, field.attname) for field in row._meta.fields}


def is_planned(model):
    """Whether a plan of the model was made, and none was given up."""
    _, made = getattr(connection, compiled_queries.ATTRIBUTE)
    of_model = [plan for key, plan in made.items() if key[0] is model]
    return bool(of_model) and None not in of_model


@pytest.mark.parametrize("columns", [FULL, OTHER, {}], ids=["full", "empty", "default"])
@pytest.mark.parametrize("model", [Session, AccountSession])
def test_a_row_is_read_as_the_orm_reads_it(make_row, alice, columns, model):
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
    assert is_planned(model)


def test_a_row_that_doesnt_meet_the_condition_is_none(make_row):
    row = make_row(expire_date=timezone.now())
    condition = Q(key_hash=row.key_hash, expire_date__gt=timezone.now())
    assert compiled_queries.get(Session, "default", condition) is None
    assert compiled_queries.get(Session, "default", Q(key_hash=row.key_hash)) == row
    assert compiled_queries.get(Session, "default", Q(key_hash=bytes(32))) is None


def test_each_reading_takes_its_own_values(make_row):
    rows = [make_row(name=str(number)) for number in range(5)]
    for row in (*rows, *reversed(rows)):
        condition = Q(key_hash=row.key_hash, expire_date__gt=timezone.now())
        assert compiled_queries.get(Session, "default", condition).name == row.name


def test_the_user_is_read_with_the_row_as_the_orm_reads_them(make_row, alice):
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


def test_a_row_of_nobody_has_no_user(make_row):
    row = make_row()
    found = compiled_queries.get(Session, "default", Q(pk=row.pk), related="user")
    assert columns_of(found) == columns_of(Session.objects.get(pk=row.pk))
    with CaptureQueriesContext(connection) as queries:
        assert found.user is None
    assert not queries


def test_a_user_whose_row_is_gone_is_left_to_the_orm(make_row):
    row = make_row()
    with connection.constraint_checks_disabled():
        Session.objects.filter(pk=row.pk).update(user_id=2**30, session_data="x")
        found = compiled_queries.get(Session, "default", Q(pk=row.pk), related="user")
        assert found.user_id == 2**30
        with pytest.raises(User.DoesNotExist):
            _ = found.user
        Session.objects.filter(pk=row.pk)._raw_delete("default")


def test_users_are_read_by_their_key(alice, bob):
    for user in (alice, bob):
        found = compiled_queries.get(User, "default", Q(pk=user.pk))
        assert columns_of(found) == columns_of(User.objects.get(pk=user.pk))
    assert compiled_queries.get(User, "default", Q(pk=-1)) is None


@pytest.mark.parametrize("name", OTHER)
@pytest.mark.parametrize("columns", [FULL, OTHER], ids=["full", "empty"])
def test_each_column_is_written_as_the_orm_writes_it(make_row, columns, name):
    ours, orms = make_row(), make_row()
    values = {name: columns[name]}
    assert compiled_queries.update(Session, "default", Q(pk=ours.pk), values) == 1
    assert Session.objects.filter(pk=orms.pk).update(**values) == 1
    written, expected = (Session.objects.get(pk=row.pk) for row in (ours, orms))
    assert getattr(written, name) == getattr(expected, name) == columns[name]
    assert is_planned(Session)


def test_user_and_expiry_are_written_with_the_data(make_row, alice, bob):
    row = make_row(alice)
    for user_id in (bob.pk, None, alice.pk):
        columns = {"session_data": "x", "user_id": user_id, "expire_date": NOON}
        assert compiled_queries.update(Session, "default", Q(pk=row.pk), columns) == 1
        found = columns_of(Session.objects.get(pk=row.pk))
        assert {name: found[name] for name in columns} == columns


def test_a_row_gets_another_key(make_row):
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


def test_many_columns_are_written_at_once_each_time_with_other_values(make_row):
    row = make_row()
    for columns in (FULL, OTHER, FULL, {**FULL, "ip": None}, OTHER):
        condition = Q(pk=row.pk, key_hash=row.key_hash)
        assert compiled_queries.update(Session, "default", condition, columns) == 1
        found = columns_of(Session.objects.get(pk=row.pk))
        assert {name: found[name] for name in columns} == columns


def test_only_rows_that_meet_the_condition_are_written(make_row, alice):
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


def test_naive_moments_are_read_and_written_where_time_zones_are_off(
    make_row, settings
):
    row = make_row(last_activity=NOON)
    aware = compiled_queries.get(Session, "default", Q(pk=row.pk))
    assert timezone.is_aware(aware.last_activity)
    settings.USE_TZ = False
    found = compiled_queries.get(Session, "default", Q(pk=row.pk))
    assert columns_of(found) == columns_of(Session.objects.get(pk=row.pk))
    assert timezone.is_naive(found.last_activity)
    moment = datetime(2026, 1, 2, 3, 4)
    compiled_queries.update(Session, "default", Q(pk=row.pk), {"last_activity": moment})
    assert Session.objects.get(pk=row.pk).last_activity == moment


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York"])
def test_moments_are_those_of_the_databases_time_zone(make_row, settings, zone):
    row = make_row(last_activity=NOON)
    settings.TIME_ZONE = zone
    found = compiled_queries.get(Session, "default", Q(pk=row.pk))
    assert columns_of(found) == columns_of(Session.objects.get(pk=row.pk))


def test_a_setting_that_changes_drops_all_plans(make_row, settings):
    row = make_row()
    compiled_queries.get(Session, "default", Q(pk=row.pk))
    _, before = getattr(connection, compiled_queries.ATTRIBUTE)
    settings.DEBUG = True
    assert compiled_queries._shared_queries(connections["default"]) == {}
    compiled_queries.get(Session, "default", Q(pk=row.pk))
    _, after = getattr(connection, compiled_queries.ATTRIBUTE)
    assert after is not before


def test_another_schema_is_read_once_the_search_path_leads_to_it(make_row):
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
def test_statements_that_the_server_prepares_answer_the_same(
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


@pytest.mark.django_db(transaction=True)
def test_each_thread_binds_plans_to_its_connection_and_compiles_none(
    make_row, alice, monkeypatch
):
    row = make_row(alice, name="there", last_activity=NOON)
    condition = Q(pk=row.pk)

    def use():
        read = compiled_queries.get(Session, "default", condition, related="user")
        changed = compiled_queries.update(
            Session, "default", condition, {"name": "there"}
        )
        return read.name, read.user, read.last_activity, changed

    assert use() == ("there", alice, NOON, 1)
    monkeypatch.delattr(query_compiler.CompiledSelect, "__init__")
    monkeypatch.delattr(query_compiler.CompiledUpdate, "__init__")
    found, kept, owners = [], [], []

    def work():
        found.extend(use() for _ in range(2))
        own = connections["default"]
        kept.append(weakref.ref(own))
        owners.extend(owner is own for owner in owners_of_converters(own))
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [("there", alice, NOON, 1)] * 8
    assert all(owners)
    assert bool(owners) == (connection.vendor != "postgresql")
    del threads, thread
    gc.collect()
    assert [reference() for reference in kept] == [None] * 4


def owners_of_converters(connection):
    """Whose methods convert values: the connections of their operations."""
    _, bound = getattr(connection, compiled_queries.ATTRIBUTE)
    converters = [
        convert
        for plan in bound.values()
        for _, convert, _ in getattr(plan, "converters", [])
    ]
    operations = [getattr(convert, "__self__", None) for convert in converters]
    return [one.connection for one in operations if hasattr(one, "connection")]


def other_connection(*, alias="default", **settings):
    other = connection.copy(alias)
    other.settings_dict.update(settings)
    return other


def test_connections_that_are_alike_have_the_same_plans():
    own = compiled_queries._shared_queries(connections["default"])
    assert compiled_queries._shared_queries(other_connection()) is own
    options = {"OPTIONS": {"timeout": 7}}
    other = compiled_queries._shared_queries(other_connection(alias="other", **options))
    assert other is not own
    # Neither takes the place of the other.
    assert (
        compiled_queries._shared_queries(other_connection(alias="other", **options))
        is other
    )
    assert compiled_queries._shared_queries(connections["default"]) is own


@pytest.mark.parametrize("name", ["NAME", "OPTIONS"])
def test_a_connection_with_other_settings_has_other_plans(name):
    one = other_connection(OPTIONS={})
    before = compiled_queries._shared_queries(one)
    if name == "NAME":
        one.settings_dict["NAME"] = "tenant"
    else:
        one.settings_dict["OPTIONS"]["timeout"] = 7
    assert compiled_queries._shared_queries(one) is not before


def test_plans_of_many_aliases_are_not_kept_for_ever():
    for number in range(3 * compiled_queries.MAX_SHARED):
        compiled_queries._shared_queries(other_connection(alias=f"tenant{number}"))
        assert len(compiled_queries._shared) <= compiled_queries.MAX_SHARED


def test_only_a_new_alias_takes_the_place_of_others():
    compiled_queries.clear()
    for number in range(compiled_queries.MAX_SHARED):
        compiled_queries._shared_queries(other_connection(alias=f"tenant{number}"))
    compiled_queries._shared_queries(
        other_connection(alias="tenant7", OPTIONS={"timeout": 7})
    )
    assert len(compiled_queries._shared) == compiled_queries.MAX_SHARED


@pytest.mark.parametrize("is_own", ["class", "operations"])
def test_a_connection_with_a_class_of_a_sites_own_shares_no_plan(is_own):
    first = connections["default"]
    kind, operations = type(first), type(first.ops)
    if is_own == "class":
        kind = type("Tenant", (kind,), {"__module__": __name__})
    else:
        operations = type("Quoting", (operations,), {"__module__": __name__})
    one, other = (kind(first.settings_dict, "default") for _ in range(2))
    for connection_of_tenant in (one, other):
        connection_of_tenant.ops = operations(connection_of_tenant)
    assert compiled_queries._shared_queries(
        one
    ) is not compiled_queries._shared_queries(other)


def test_no_password_is_shown_with_what_is_kept():
    compiled_queries._shared_queries(
        other_connection(alias="other", PASSWORD="open sesame")
    )
    assert "open sesame" not in repr(compiled_queries._shared)


def test_a_bad_value_ends_no_planning_but_that_of_its_connection(make_row):
    row = make_row(name="there")
    compiled_queries.clear()
    with pytest.raises(ValueError, match="no number"), transaction.atomic():
        compiled_queries.update(
            Session, "default", Q(pk=row.pk), {"version": "no number"}
        )
    # As another connection, which has bound nothing yet.
    delattr(connections["default"], compiled_queries.ATTRIBUTE)
    assert (
        compiled_queries.update(Session, "default", Q(pk=row.pk), {"version": 7}) == 1
    )
    assert len(compiled_queries._shared_queries(connections["default"])) == 1


def test_a_setting_that_changes_meanwhile_drops_what_is_being_bound(
    make_row, monkeypatch
):
    """Before the one word of it or after the other, another thread may come."""
    row = make_row()

    def read():
        compiled_queries.get(Session, "default", Q(pk=row.pk))

    class Interrupted(dict):
        def clear(self):
            read()
            super().clear()
            read()

    read()
    monkeypatch.setattr(
        compiled_queries, "_shared", Interrupted(compiled_queries._shared)
    )
    compiled_queries.clear()
    generation, _ = getattr(connections["default"], compiled_queries.ATTRIBUTE)
    assert generation != compiled_queries._generation


def test_an_error_breaks_the_transaction_as_the_orms_does(make_row):
    row, other = make_row(), make_row()
    columns = {"key_hash": other.key_hash}
    with transaction.atomic():
        with pytest.raises(IntegrityError):
            compiled_queries.update(Session, "default", Q(pk=row.pk), columns)
        assert connection.needs_rollback
        transaction.set_rollback(True)
    assert Session.objects.count() == 2


def test_an_expression_is_left_to_the_orm(make_row):
    row = make_row(version=5)
    columns = {"version": F("version") + 1, "name": "x"}
    assert compiled_queries.update(Session, "default", Q(pk=row.pk), columns) == 1
    assert Session.objects.get(pk=row.pk).version == 6


def test_what_djangos_query_refuses_is_left_to_the_orm(make_row, alice, monkeypatch):
    row = make_row(alice, name="there")

    def refuse(query, names):
        raise KeyError(names)

    compiled_queries.clear()
    monkeypatch.setattr(Query, "change_aliases", refuse)
    found = compiled_queries.get(Session, "default", Q(pk=row.pk), related="user")
    assert (found.name, found.user) == ("there", alice)
    compiled_queries.clear()


@pytest.mark.parametrize("related", [None, "user"])
def test_the_name_of_the_table_stands_but_once_in_a_statement(
    make_row, alice, related, statements
):
    row = make_row(alice)
    with statements() as made:
        compiled_queries.get(Session, "default", Q(pk=row.pk), related=related)
    (statement,) = made.all
    assert statement.count(Session._meta.db_table) == 1


@isolate_apps("tests")
@pytest.mark.parametrize("related", [None, "other"])
def test_a_query_of_several_tables_keeps_their_names(related):
    class Parent(models.Model):  # noqa: DJ008
        name = models.TextField()

    class Child(Parent):  # noqa: DJ008
        other = models.ForeignKey(Parent, models.CASCADE, related_name="children")

    class Friend(models.Model):  # noqa: DJ008
        other = models.ForeignKey(Child, models.CASCADE)

    for model, names in ((Child, [related]), (Friend, ["other"])):
        for name in names:
            statement = query_compiler.CompiledSelect(
                connection, model, Q(pk=1), name
            ).statement.sql
            assert query_compiler.SHORT_NAME not in statement
            assert (
                f"FROM {connection.ops.quote_name(model._meta.db_table)}" in statement
            )


@isolate_apps("tests")
@pytest.mark.parametrize("name", ["t_1", "T_1", '"main"."t_1"'])
def test_a_table_that_has_the_short_name_keeps_it_for_itself(name):
    class Other(models.Model):  # noqa: DJ008
        class Meta:
            db_table = name

    class Row(models.Model):  # noqa: DJ008
        other = models.ForeignKey(Other, models.CASCADE)

    statement = query_compiler.CompiledSelect(
        connection, Row, Q(pk=1), "other"
    ).statement.sql
    assert f"FROM {connection.ops.quote_name(Row._meta.db_table)} INNER" in statement


def test_a_database_that_is_down_is_no_reason_to_give_up_planning(
    make_row, monkeypatch
):
    row = make_row(name="there")

    def fail(query, names):
        raise OperationalError("down")

    compiled_queries.clear()
    with monkeypatch.context() as patched:
        patched.setattr(Query, "change_aliases", fail)
        with pytest.raises(OperationalError):
            compiled_queries.get(Session, "default", Q(pk=row.pk))
    assert compiled_queries.get(Session, "default", Q(pk=row.pk)).name == "there"
    _, made = getattr(connection, compiled_queries.ATTRIBUTE)
    assert None not in made.values()


def test_what_cant_be_planned_is_left_to_the_orm(make_row, alice, monkeypatch):
    row = make_row(alice, name="old")

    def refuse(field):
        return True

    compiled_queries.clear()
    monkeypatch.setattr(placeholders, "_writes_sql", refuse)
    found = compiled_queries.get(Session, "default", Q(pk=row.pk), related="user")
    assert (found.name, found.user) == ("old", alice)
    assert compiled_queries.get(Session, "default", Q(pk=uuid.uuid4())) is None
    assert (
        compiled_queries.update(Session, "default", Q(pk=row.pk), {"name": "new"}) == 1
    )
    assert Session.objects.get(pk=row.pk).name == "new"
    compiled_queries.clear()


class Careful(models.CharField):
    """A field that looks into what it saves."""

    def get_db_prep_save(self, value, connection):
        return super().get_db_prep_save(f"saved: {value}", connection)


@isolate_apps("tests")
def test_a_field_that_looks_into_what_it_saves_is_left_to_the_orm():
    class Model(models.Model):  # noqa: DJ008
        name = Careful(max_length=40)

    with pytest.raises(NotCompilable):
        query_compiler.CompiledUpdate(connection, Model, Q(pk=1), {"name": "first"})


@pytest.mark.parametrize("sql", ["(%s || {})", "('key' || {})"])
@isolate_apps("tests")
def test_a_field_that_is_selected_by_sql_of_its_own_is_left_to_the_orm(sql):
    class Tenants(models.TextField):
        def select_format(self, compiler, column, params):
            return sql.format(column), ["key", *params] if "%s" in sql else params

    class Model(models.Model):  # noqa: DJ008
        name = Tenants()

    class Named(models.Model):  # noqa: DJ008
        model = models.ForeignKey(Model, models.CASCADE)

    for model, related in ((Model, None), (Named, "model")):
        with pytest.raises(NotCompilable):
            query_compiler.CompiledSelect(connection, model, Q(pk=1), related)
    assert query_compiler.CompiledSelect(connection, Named, Q(pk=1), None).statement.sql


@isolate_apps("tests")
def test_a_value_that_was_taken_for_good_is_noticed(monkeypatch):
    class Model(models.Model):  # noqa: DJ008
        name = Careful(max_length=40)

    monkeypatch.setattr(placeholders, "_writes_sql", lambda field: False)
    with pytest.raises(NotCompilable):
        query_compiler.CompiledUpdate(connection, Model, Q(pk=1), {"name": "first"})


@pytest.mark.django_db(transaction=True)
def test_a_plan_keeps_nothing_of_the_values_and_connection_it_was_made_with(make_row):
    row = make_row()
    compiled_queries.clear()
    made_by = []

    def work():
        first = {"session_data": "of the first visitor"}
        compiled_queries.update(Session, "default", Q(pk=row.pk), first)
        compiled_queries.get(Session, "default", Q(**first), related="user")
        made_by.append(weakref.ref(connections["default"]))
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    made = compiled_queries._shared_queries(connections["default"])
    assert len(made) == 2
    assert "of the first visitor" not in reachable(made)
    del thread
    gc.collect()
    assert made_by[0]() is None


def reachable(root):
    """The texts that are to be found from there, but for those of classes."""
    texts, seen, left = set(), set(), [root]
    while left:
        one = left.pop()
        if id(one) in seen or isinstance(one, (type, ModuleType, models.Field)):
            continue
        seen.add(id(one))
        texts.update([one] if isinstance(one, str) else [])
        left += gc.get_referents(one)
    return texts


def test_no_user_is_made_for_a_row_of_nobody(make_row, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a user without values")

    row = make_row()
    monkeypatch.setattr(User, "from_db", refuse)
    assert compiled_queries.get(Session, "default", Q(pk=row.pk), related="user") == row


@isolate_apps("tests")
def test_no_plan_is_made_for_rows_of_two_tables_or_fields_with_sql_of_their_own():
    class Secret(models.TextField):
        def get_placeholder_sql(self, value, compiler, connection):
            return "secret(%s)", (value,)

    class Parent(models.Model):  # noqa: DJ008
        name = models.TextField()

    class Child(Parent):  # noqa: DJ008
        hidden = Secret()

    with pytest.raises(NotCompilable):
        query_compiler.CompiledUpdate(connection, Child, Q(pk=1), {"name": "x"})
    with pytest.raises(NotCompilable):
        query_compiler.CompiledSelect(connection, Child, Q(hidden="x"), None)
    assert query_compiler.CompiledUpdate(
        connection, Parent, Q(pk=1), {"name": "x"}
    ).statement.sql
