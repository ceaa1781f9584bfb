"""Statements that the ORM compiles, and those that it must build each time."""

import pytest
from django.db import connection, models
from django.db.models import Q
from django.test.utils import isolate_apps

from wagtail_user_sessions.models import Session
from wagtail_user_sessions.sql import compiled_queries, placeholders, query_compiler
from wagtail_user_sessions.sql.placeholders import NotCompilable

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("related", [None, "user"])
def test_a_compiled_select_contains_the_table_name_once(
    make_row, alice, related, statements
):
    row = make_row(alice)
    with statements() as executed:
        compiled_queries.get(Session, "default", Q(pk=row.pk), related=related)
    (statement,) = executed.all
    assert statement.count(Session._meta.db_table) == 1


@isolate_apps("tests")
@pytest.mark.parametrize("related", [None, "other"])
def test_a_compiled_select_of_several_tables_keeps_their_names(related):
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
def test_a_compiled_select_with_a_table_named_like_the_alias_has_no_alias(name):
    class Other(models.Model):  # noqa: DJ008
        class Meta:
            db_table = name

    class Row(models.Model):  # noqa: DJ008
        other = models.ForeignKey(Other, models.CASCADE)

    statement = query_compiler.CompiledSelect(
        connection, Row, Q(pk=1), "other"
    ).statement.sql
    assert f"FROM {connection.ops.quote_name(Row._meta.db_table)} INNER" in statement


def test_a_compiled_select_by_a_foreign_key_has_short_names(alice):
    # The ORM joins the user, then finds that the column of the table is enough.
    statement = query_compiler.CompiledSelect(
        connection, Session, Q(user_id=alice.pk), None, order_by=("-signed_in_at",)
    ).statement.sql
    assert Session._meta.db_table not in statement.split(" FROM ")[0]
    assert statement.count(Session._meta.db_table) == 1


class PrefixedField(models.CharField):
    """A field that prepares its values by itself."""

    def get_db_prep_save(self, value, connection):
        return super().get_db_prep_save(f"saved: {value}", connection)


@isolate_apps("tests")
def test_a_field_that_prepares_its_own_values_is_not_compilable():
    class Model(models.Model):  # noqa: DJ008
        name = PrefixedField(max_length=40)

    with pytest.raises(NotCompilable):
        query_compiler.CompiledUpdate(connection, Model, Q(pk=1), {"name": "first"})


@pytest.mark.parametrize("sql", ["(%s || {})", "('key' || {})"])
@isolate_apps("tests")
def test_a_field_that_is_selected_by_sql_of_its_own_is_not_compilable(sql):
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
def test_a_statement_that_contains_its_first_value_is_not_compilable(monkeypatch):
    class Model(models.Model):  # noqa: DJ008
        name = PrefixedField(max_length=40)

    monkeypatch.setattr(placeholders, "_has_placeholder_sql", lambda field: False)
    with pytest.raises(NotCompilable):
        query_compiler.CompiledUpdate(connection, Model, Q(pk=1), {"name": "first"})


@isolate_apps("tests")
def test_rows_of_two_tables_and_fields_with_placeholder_sql_are_not_compilable():
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
