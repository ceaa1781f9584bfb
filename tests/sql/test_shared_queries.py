"""Compiled queries that connections share: which ones do, and for how long."""

import gc
import threading
import weakref
from types import ModuleType

import pytest
from django.db import OperationalError, connection, connections, models, transaction
from django.db.models import Q
from django.db.models.sql import Query

from tests.sql.rows import NOON
from wagtail_user_sessions.models import Session
from wagtail_user_sessions.sql import compiled_queries, query_compiler

pytestmark = pytest.mark.django_db


def test_a_setting_that_changes_drops_all_compiled_queries(make_row, settings):
    row = make_row()
    compiled_queries.get(Session, "default", Q(pk=row.pk))
    _, before = getattr(connection, compiled_queries.ATTRIBUTE)
    settings.DEBUG = True
    assert compiled_queries._shared_queries(connections["default"]) == {}
    compiled_queries.get(Session, "default", Q(pk=row.pk))
    _, after = getattr(connection, compiled_queries.ATTRIBUTE)
    assert after is not before


@pytest.mark.django_db(transaction=True)
def test_each_thread_binds_compiled_queries_to_its_connection_and_compiles_none(
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
    """Return the connections whose methods the bound converters are."""
    _, bound = getattr(connection, compiled_queries.ATTRIBUTE)
    converters = [
        convert
        for query in bound.values()
        for _, convert, _ in getattr(query, "converters", [])
    ]
    operations = [getattr(convert, "__self__", None) for convert in converters]
    return [one.connection for one in operations if hasattr(one, "connection")]


def connection_like_default(*, alias="default", **settings):
    other = connection.copy(alias)
    other.settings_dict.update(settings)
    return other


def test_connections_with_equal_settings_share_their_queries():
    own = compiled_queries._shared_queries(connections["default"])
    assert compiled_queries._shared_queries(connection_like_default()) is own
    options = {"OPTIONS": {"timeout": 7}}
    other = compiled_queries._shared_queries(
        connection_like_default(alias="other", **options)
    )
    assert other is not own
    # Neither of the two aliases replaces the other.
    assert (
        compiled_queries._shared_queries(
            connection_like_default(alias="other", **options)
        )
        is other
    )
    assert compiled_queries._shared_queries(connections["default"]) is own


@pytest.mark.parametrize("name", ["NAME", "OPTIONS"])
def test_a_connection_with_other_settings_has_other_queries(name):
    one = connection_like_default(OPTIONS={})
    before = compiled_queries._shared_queries(one)
    if name == "NAME":
        one.settings_dict["NAME"] = "tenant"
    else:
        one.settings_dict["OPTIONS"]["timeout"] = 7
    assert compiled_queries._shared_queries(one) is not before


def test_the_queries_of_many_aliases_are_not_kept_forever():
    for number in range(3 * compiled_queries.MAX_SHARED):
        compiled_queries._shared_queries(
            connection_like_default(alias=f"tenant{number}")
        )
        assert len(compiled_queries._shared) <= compiled_queries.MAX_SHARED


def test_changed_settings_of_a_known_alias_drop_no_other_queries():
    compiled_queries.clear()
    for number in range(compiled_queries.MAX_SHARED):
        compiled_queries._shared_queries(
            connection_like_default(alias=f"tenant{number}")
        )
    compiled_queries._shared_queries(
        connection_like_default(alias="tenant7", OPTIONS={"timeout": 7})
    )
    assert len(compiled_queries._shared) == compiled_queries.MAX_SHARED


@pytest.mark.parametrize("is_own", ["class", "operations"])
def test_a_connection_with_a_class_of_a_sites_own_shares_no_query(is_own):
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


def test_the_repr_of_shared_queries_contains_no_password():
    compiled_queries._shared_queries(
        connection_like_default(alias="other", PASSWORD="open sesame")
    )
    assert "open sesame" not in repr(compiled_queries._shared)


def test_a_bad_value_stops_compilation_for_its_own_connection_only(make_row):
    row = make_row(name="there")
    compiled_queries.clear()
    with pytest.raises(ValueError, match="no number"), transaction.atomic():
        compiled_queries.update(
            Session, "default", Q(pk=row.pk), {"version": "no number"}
        )
    # Stands for another connection, which has bound nothing yet.
    delattr(connections["default"], compiled_queries.ATTRIBUTE)
    assert (
        compiled_queries.update(Session, "default", Q(pk=row.pk), {"version": 7}) == 1
    )
    assert len(compiled_queries._shared_queries(connections["default"])) == 1


def test_a_query_bound_while_a_setting_changes_is_dropped(make_row, monkeypatch):
    """Another thread may read before or after each of the two steps of ``clear()``."""
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


def test_after_a_database_error_the_query_is_compiled_again(make_row, monkeypatch):
    row = make_row(name="there")

    def fail(query, names):
        raise OperationalError("down")

    compiled_queries.clear()
    with monkeypatch.context() as patched:
        patched.setattr(Query, "change_aliases", fail)
        with pytest.raises(OperationalError):
            compiled_queries.get(Session, "default", Q(pk=row.pk))
    assert compiled_queries.get(Session, "default", Q(pk=row.pk)).name == "there"
    _, bound = getattr(connection, compiled_queries.ATTRIBUTE)
    assert None not in bound.values()


@pytest.mark.django_db(transaction=True)
def test_a_compiled_query_keeps_no_value_and_no_connection_of_its_compilation(make_row):
    row = make_row()
    compiled_queries.clear()
    compiled_by = []

    def work():
        first = {"session_data": "of the first visitor"}
        compiled_queries.update(Session, "default", Q(pk=row.pk), first)
        compiled_queries.get(Session, "default", Q(**first), related="user")
        compiled_by.append(weakref.ref(connections["default"]))
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    shared = compiled_queries._shared_queries(connections["default"])
    assert len(shared) == 2
    assert "of the first visitor" not in reachable(shared)
    del thread
    gc.collect()
    assert compiled_by[0]() is None


def reachable(root):
    """Return the texts that the object refers to, except through a class or module."""
    texts, seen, left = set(), set(), [root]
    while left:
        one = left.pop()
        if id(one) in seen or isinstance(one, (type, ModuleType, models.Field)):
            continue
        seen.add(id(one))
        texts.update([one] if isinstance(one, str) else [])
        left += gc.get_referents(one)
    return texts
