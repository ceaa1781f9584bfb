"""Prepared statements behind a PgBouncer that pools transactions.

The versions before 1.21, such as Debian 12's, know nothing of them: which client has
prepared what on which connection of the server is left to chance.
"""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction
from django.db.models import Q

from tests.conftest import skip_or_fail
from tests.sql import pgbouncer
from wagtail_user_sessions.models import Session
from wagtail_user_sessions.sql import compiled_queries, prepared

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

CLIENTS, QUERIES = 4, 200


@pytest.fixture
def pooled(tmp_path, settings):
    """Returns the alias of a new client of the pooler."""
    if connection.vendor != "postgresql":
        pytest.skip("PgBouncer pools PostgreSQL's connections")
    program = pgbouncer.find()
    if program is None:
        skip_or_fail("no pgbouncer on PATH")
    settings.WAGTAIL_USER_SESSIONS_PREPARED_STATEMENTS = True
    with pgbouncer.serve(program, tmp_path, pool_size=2) as port:
        clients = []

        def connect():
            # Django's connection keeps its alias, so a client has one of its own.
            alias = f"client{len(clients)}"
            client = connection.copy(alias)
            client.settings_dict = {
                **connection.settings_dict,
                "HOST": pgbouncer.HOST,
                "PORT": port,
            }
            client.inc_thread_sharing()
            clients.append(client)
            return client

        yield connect
        for client in clients:
            client.close()


def executed_as(verb, client):
    """Return the number of the client's statements that begin with the verb."""
    return sum(query["sql"].startswith(verb) for query in client.queries)


def test_clients_that_share_connections_read_and_write_their_own_rows(pooled, make_row):
    rows = [make_row(name="0") for _ in range(CLIENTS)]
    clients = [pooled() for _ in rows]

    def work(client, row, seed):
        connections[client.alias] = client
        client.force_debug_cursor = True
        chance = random.Random(seed)
        for number in range(1, QUERIES):
            if chance.random() < 0.3:
                with transaction.atomic(client.alias):
                    found = read(client, row)
            else:
                found = read(client, row)
            assert (found.pk, found.name) == (row.pk, str(number - 1))
            condition = Q(pk=row.pk, version=number - 1)
            columns = {"name": str(number), "version": number}
            assert compiled_queries.update(Session, client.alias, condition, columns)

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(work, clients, rows, range(CLIENTS)))
    for client in clients:
        assert getattr(client.connection, prepared.ATTRIBUTE).loses_statements
        assert executed_as("EXECUTE", client) > QUERIES / 2


def test_a_transaction_gets_its_row_on_a_connection_that_prepared_nothing(
    pooled, make_row
):
    row = make_row()
    client, first, second = (pooled() for _ in range(3))
    for one in (client, first, second):
        connections[one.alias] = one
    with transaction.atomic(first.alias):
        # Holds the one connection of the server, so the client prepares on the other.
        read(first, row)
        for _ in range(prepared.THRESHOLD):
            read(client, row)
        second.set_autocommit(autocommit=False)
        # Holds that one from here on.
        read(second, row)
    with transaction.atomic(client.alias):
        assert read(client, row) == row
    second.rollback()


def read(client, row):
    condition = Q(key_hash=row.key_hash)
    return compiled_queries.get(Session, client.alias, condition)
