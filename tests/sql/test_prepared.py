"""Statements that PostgreSQL prepares, on a direct connection."""

import pytest
from django.db import (
    DatabaseError,
    IntegrityError,
    connection,
    connections,
    transaction,
)
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from tests.models import AccountSession
from tests.sql.rows import FULL, OTHER, columns_of
from wagtail_user_sessions.models import Session
from wagtail_user_sessions.sql import compiled_queries, prepared
from wagtail_user_sessions.sql.prepared import THRESHOLD, Preparation

pytestmark = pytest.mark.django_db(transaction=True)

only_postgresql = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="only PostgreSQL prepares statements"
)


@pytest.fixture(autouse=True)
def switched_on(settings):
    settings.WAGTAIL_USER_SESSIONS_PREPARED_STATEMENTS = True
    connection.close()
    yield
    connection.close()


def get(row, **also):
    return compiled_queries.get(Session, "default", Q(key_hash=row.key_hash), **also)


def statements(function):
    with CaptureQueriesContext(connection) as queries:
        function()
    return [query["sql"].split()[0] for query in queries.captured_queries]


def prepare(row):
    for _ in range(THRESHOLD):
        get(row)


def on_server():
    """Return the statements that the server has prepared, by their names."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, statement FROM pg_prepared_statements")
        return dict(cursor.fetchall())


def test_preparation_numbers_parameters_and_leaves_percent_signs():
    preparation = Preparation.of("SELECT '100%%', %s WHERE a = %s")
    name = preparation.execute.split()[1]
    assert preparation.prepare == f"PREPARE {name} AS SELECT '100%', $1 WHERE a = $2"
    assert preparation.execute == f"EXECUTE {name} (%s, %s)"


def test_preparation_without_parameters_has_no_parentheses():
    preparation = Preparation.of("SELECT 1")
    assert preparation.execute == f"EXECUTE {preparation.prepare.split()[1]}"


def test_preparation_names_the_same_sql_alike_and_other_sql_otherwise():
    one, same, other = map(Preparation.of, ("SELECT 1", "SELECT 1", "SELECT 2"))
    assert one == same
    assert one.execute != other.execute


@only_postgresql
def test_a_statement_is_prepared_from_its_fifth_use_on(make_row):
    row = make_row()
    for _ in range(THRESHOLD - 1):
        assert statements(lambda: get(row)) == ["SELECT"]
    # Between them, once a connection: whether there is a pooler.
    assert statements(lambda: get(row)) == ["SELECT", "PREPARE", "EXECUTE"]
    assert statements(lambda: get(row)) == ["EXECUTE"]
    (sql,) = on_server().values()
    assert Session._meta.db_table in sql


@only_postgresql
def test_the_switch_is_off_by_default(make_row, settings):
    del settings.WAGTAIL_USER_SESSIONS_PREPARED_STATEMENTS
    row = make_row()
    prepare(row)
    assert on_server() == {}


def test_databases_that_prepare_nothing_execute_the_statement_as_it_stands(make_row):
    if prepared.can_prepare(connection):
        pytest.skip("this one prepares")
    row = make_row()
    for _ in range(2 * THRESHOLD):
        assert statements(lambda: get(row)) == ["SELECT"]


@only_postgresql
@pytest.mark.parametrize("model", [Session, AccountSession])
def test_prepared_statements_read_and_write_what_the_orm_does(make_row, alice, model):
    row = make_row(alice, model)
    for values in (FULL, OTHER) * THRESHOLD:
        condition = Q(pk=row.pk, user_id=alice.pk)
        assert compiled_queries.update(model, "default", condition, values) == 1
        assert compiled_queries.update(model, "default", Q(pk=None), values) == 0
        known = Q(key_hash__in=(row.key_hash, bytes(32)))
        (read,) = compiled_queries.fetch(model, "default", known, related="user")
        assert columns_of(read) == columns_of(model.objects.get())
        assert read.user == alice
    verbs = {sql.split(" AS ")[1].split()[0] for sql in on_server().values()}
    assert verbs == {"SELECT", "UPDATE"}


@only_postgresql
def test_a_new_connection_prepares_anew(make_row):
    row = make_row()
    prepare(row)
    connection.close()
    assert statements(lambda: get(row)) == ["SELECT"]
    assert get(row) == row


@only_postgresql
def test_a_statement_that_the_server_has_lost_is_executed_and_prepared_again(make_row):
    row = make_row()
    prepare(row)
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    assert get(row) == row
    assert get(row) == row
    assert len(on_server()) == 1


@only_postgresql
def test_a_statement_that_another_client_has_prepared_is_executed(make_row):
    row = make_row()
    prepare(row)
    raw = connection.connection
    # As behind a pooler: the connection of the server knows it, and this client not.
    delattr(raw, prepared.ATTRIBUTE)
    prepare(row)
    assert statements(lambda: get(row)) == ["EXECUTE"]
    assert get(row) == row


@only_postgresql
def test_a_statement_is_executed_as_it_stands_once_its_table_was_altered(make_row):
    row = make_row(name="here")
    prepare(row)
    table, quote = Session._meta.db_table, connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {quote(table)} ALTER name TYPE varchar(65)")
    try:
        for _ in range(2 * THRESHOLD):
            assert get(row).name == "here"
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {quote(table)} ALTER name TYPE varchar(64)")


@only_postgresql
def test_inside_a_transaction_nothing_is_prepared(make_row):
    row = make_row()
    with transaction.atomic():
        prepare(row)
        prepare(row)
    assert on_server() == {}


@only_postgresql
def test_inside_a_transaction_what_this_connection_has_prepared_is_executed(make_row):
    row = make_row()
    prepare(row)
    with transaction.atomic():
        assert statements(lambda: get(row)) == ["EXECUTE"]


@only_postgresql
def test_inside_a_transaction_behind_a_pooler_nothing_prepared_is_executed(make_row):
    row = make_row()
    prepare(row)
    getattr(connection.connection, prepared.ATTRIBUTE).loses_statements = True
    with transaction.atomic():
        assert statements(lambda: get(row)) == ["SELECT"]
    assert statements(lambda: get(row)) == ["EXECUTE"]


@only_postgresql
def test_with_parameters_bound_by_the_server_nothing_is_prepared(make_row):
    row = make_row()
    other = connection.copy("binding")
    other.settings_dict["OPTIONS"] = {"server_side_binding": True}
    connections["binding"] = other
    try:
        for _ in range(2 * THRESHOLD):
            found = compiled_queries.get(Session, "binding", Q(key_hash=row.key_hash))
            assert found == row
        assert not hasattr(other.connection, prepared.ATTRIBUTE)
    finally:
        other.close()
        del connections["binding"]


@only_postgresql
def test_no_more_than_so_many_statements_are_prepared(make_row, monkeypatch):
    monkeypatch.setattr(prepared, "MAX_PREPARED", 2)
    make_row()
    for limit in range(1, 6):
        for _ in range(THRESHOLD):
            compiled_queries.fetch(Session, "default", Q(), limit=limit)
    assert len(on_server()) == 2


@only_postgresql
def test_no_more_than_so_many_statements_are_counted(make_row, monkeypatch):
    monkeypatch.setattr(prepared, "MAX_COUNTED", 3)
    make_row()
    for limit in range(1, 9):
        compiled_queries.fetch(Session, "default", Q(), limit=limit)
    assert len(getattr(connection.connection, prepared.ATTRIBUTE).uses) <= 3


@only_postgresql
def test_a_prepared_statement_follows_the_search_path_to_another_schema(make_row):
    row = make_row(name="public")
    table = Session._meta.db_table
    prepare(row)
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA tenant")
        try:
            cursor.execute(f"CREATE TABLE tenant.{table} (LIKE public.{table})")
            cursor.execute(f"INSERT INTO tenant.{table} SELECT * FROM public.{table}")
            cursor.execute(f"UPDATE tenant.{table} SET name = 'tenant'")
            cursor.execute("SET search_path TO tenant, public")
            assert statements(lambda: get(row)) == ["EXECUTE"]
            assert get(row).name == "tenant"
            cursor.execute("SET search_path TO public")
            assert get(row).name == "public"
        finally:
            cursor.execute("DROP SCHEMA tenant CASCADE")


@only_postgresql
@pytest.mark.parametrize("number", [2**40, -(2**40)])
def test_a_parameter_whose_column_has_another_type_since_is_written(make_row, number):
    row = make_row(version=1)
    table = Session._meta.db_table

    def write(version):
        columns = {"version": version}
        return compiled_queries.update(Session, "default", Q(pk=row.pk), columns)

    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ALTER version TYPE integer")
    try:
        for _ in range(THRESHOLD):
            assert write(2) == 1
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} ALTER version TYPE bigint")
    for _ in range(2 * THRESHOLD):
        assert write(number) == 1
    assert Session.objects.get().version == number


@only_postgresql
def test_a_connection_that_loses_statements_fails_one_transaction_at_most(make_row):
    row = make_row()
    failures = 0
    for _ in range(2 * THRESHOLD):
        get(row)
        with connection.cursor() as cursor:
            cursor.execute("DISCARD ALL")
        try:
            with transaction.atomic():
                get(row)
        except DatabaseError:
            failures += 1
    assert failures == 1


@only_postgresql
def test_a_connection_that_often_loses_statements_prepares_no_more(make_row):
    row = make_row()
    for _ in range(2 * prepared.MIN_LOST + THRESHOLD):
        get(row)
        with connection.cursor() as cursor:
            cursor.execute("DISCARD ALL")
    assert statements(lambda: get(row)) == ["SELECT"]


@only_postgresql
def test_a_connection_that_rarely_loses_statements_goes_on_preparing(make_row):
    row = make_row()
    for _ in range(prepared.MIN_LOST + THRESHOLD):
        for _ in range(4):
            get(row)
        with connection.cursor() as cursor:
            cursor.execute("DISCARD ALL")
    get(row)
    get(row)
    assert statements(lambda: get(row)) == ["EXECUTE"]


@only_postgresql
def test_an_error_of_the_statement_itself_is_raised_after_one_execution(make_row):
    row, other = make_row(), make_row()

    def write(key_hash):
        columns = {"key_hash": key_hash}
        return compiled_queries.update(Session, "default", Q(pk=row.pk), columns)

    for number in range(THRESHOLD):
        write(bytes([number]) * 32)

    def fail():
        with pytest.raises(IntegrityError):
            write(other.key_hash)

    assert statements(fail) == ["EXECUTE"]
    assert statements(lambda: write(bytes(32))) == ["EXECUTE"]


@only_postgresql
def test_a_statement_that_cant_be_prepared_is_executed_as_it_stands(make_row):
    row = make_row()
    attempts = []

    def refuse(execute, sql, *args):
        if sql.startswith("PREPARE"):
            attempts.append(sql)
            return execute("SELECT there_is_no_such_column", *args)
        return execute(sql, *args)

    with connection.execute_wrapper(refuse):
        for _ in range(3 * THRESHOLD):
            assert get(row) == row
    assert len(attempts) == 1


@only_postgresql
def test_in_a_transaction_begun_by_hand_nothing_is_prepared(make_row):
    row = make_row()
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        prepare(row)
        prepare(row)
        cursor.execute("COMMIT")
    assert on_server() == {}


@only_postgresql
def test_with_autocommit_off_nothing_is_prepared(make_row):
    row = make_row()
    connection.set_autocommit(False)
    try:
        prepare(row)
        prepare(row)
        connection.rollback()
    finally:
        connection.set_autocommit(True)
    assert on_server() == {}
