"""Sessions in a table of PostgreSQL that is partitioned as docs/databases.md says."""

import re
from pathlib import Path

import pytest
from django.db import connection

from tests.conftest import sign_in
from tests.races.racers import racing
from wagtail_user_sessions.backends.db import SessionStore
from wagtail_user_sessions.exceptions import SessionRefused
from wagtail_user_sessions.models import Session

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        "connection.vendor != 'postgresql'", reason="the migration is PostgreSQL's"
    ),
]

DOCUMENT = Path(__file__).parents[2] / "docs" / "databases.md"
ROUNDS = 200


def operations():
    """Return the operations of the migration that the document shows."""
    section = DOCUMENT.read_text().partition("## Partitioning")[2]
    code = re.search(r"```python\n(.*?)```", section, re.DOTALL)[1]
    names = {}
    exec(code, names)
    return names["Migration"].operations


def migrate(direction):
    with connection.schema_editor() as editor:
        for operation in operations():
            getattr(operation, f"database_{direction}")("site", editor, None, None)


def partitions():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tableoid::regclass::text FROM wagtail_user_sessions_session"
        )
        return [name for (name,) in cursor.fetchall()]


@pytest.fixture
def before(alice):
    """A session from before the migration."""
    return sign_in(SessionStore, alice, value=1)


@pytest.fixture
def partitioned(before):
    migrate("forwards")
    yield
    migrate("backwards")


@pytest.fixture
def key(partitioned, alice):
    return sign_in(SessionStore, alice, value=1).session_key


def test_sessions_of_before_are_there_after_the_migration_and_after_its_reversal(
    before, alice
):
    for direction in ("forwards", "backwards"):
        migrate(direction)
        assert SessionStore(before.session_key)["value"] == 1
        assert alice.session_set.get().pk == before.id


def test_the_reversal_leaves_the_table_as_the_package_makes_it(before):
    def table():
        with connection.cursor() as cursor:
            description = connection.introspection.get_table_description(
                cursor, Session._meta.db_table
            )
            constraints = connection.introspection.get_constraints(
                cursor, Session._meta.db_table
            )
        found = (
            (one["columns"], one["unique"], one["primary_key"], one["foreign_key"])
            for one in constraints.values()
        )
        return description, sorted(map(str, found))

    expected = table()
    migrate("forwards")
    migrate("backwards")
    assert table() == expected


def test_rows_are_spread_over_the_partitions_and_move_with_their_key(partitioned):
    sessions = [SessionStore() for _ in range(64)]
    for session in sessions:
        session.save()
    assert len(set(partitions())) == 8
    old_keys = [session.session_key for session in sessions]
    for session in sessions:
        session.cycle_key()
    assert all(session.exists(session.session_key) for session in sessions)
    assert not any(SessionStore().exists(key) for key in old_keys)
    assert len(partitions()) == len(sessions) + 1


def test_a_session_is_changed_renamed_and_revoked(key, alice):
    session = SessionStore(key)
    session["value"] = 2
    session.save()
    session.cycle_key()
    row = alice.session_set.get(pk=session.id)
    assert row.rename("Kitchen")
    assert SessionStore(session.session_key)["value"] == 2
    assert row.revoke() == 1
    assert not SessionStore().exists(session.session_key)


def test_a_user_is_deleted_with_their_sessions(key, alice):
    alice.delete()
    assert not Session.objects.exists()


@pytest.mark.processes
@pytest.mark.parametrize(
    "act",
    [
        lambda row: row.rename("Kitchen"),
        lambda row: row.revoke(),
        lambda row: row.delete(),
        lambda row: Session.objects.filter(pk=row.pk).delete(),
        lambda row: Session.objects.filter(user=row.user).revoke(),
    ],
    ids=["rename", "revoke", "row", "rows", "user"],
)
def test_what_waits_for_a_row_that_moves_is_repeated(partitioned, alice, act):
    def cycle(session_key):
        session = SessionStore(session_key)
        session.get("value")
        try:
            for _ in range(5):
                session.cycle_key()
        except SessionRefused:
            # The other was first.
            return

    def play(cycler, actor):
        session = sign_in(SessionStore, alice)
        row = Session.objects.get(pk=session.id)
        cycler.start(session.session_key)
        actor.run(row)
        cycler.finish()

    with racing(cycle, act) as racers:
        for _ in range(ROUNDS):
            play(*racers)
