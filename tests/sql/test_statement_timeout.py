"""The timeout of statements, which PostgreSQL supports."""

import pytest
from django.db import OperationalError, connection, transaction

from wagtail_user_sessions.sql.statement_timeout import (
    StatementTimeout,
    statement_timeout,
    supports_timeout,
)

pytestmark = pytest.mark.django_db(transaction=True)

is_on_postgresql = connection.vendor == "postgresql"
on_postgresql = pytest.mark.skipif(
    not is_on_postgresql, reason="Only PostgreSQL supports timeouts"
)


def test_no_timeout_is_supported_in_a_transaction_of_the_caller():
    assert supports_timeout("default") == is_on_postgresql
    with transaction.atomic():
        assert not supports_timeout("default")


@on_postgresql
def test_a_statement_that_takes_too_long_is_cancelled():
    with connection.cursor() as cursor:
        with (
            pytest.raises(StatementTimeout),
            statement_timeout("default", seconds=0.05),
        ):
            cursor.execute("SELECT pg_sleep(5)")
        # The timeout is over with its transaction.
        cursor.execute("SELECT pg_sleep(0.1)")


@on_postgresql
def test_a_statement_that_is_cancelled_before_the_timeout_is_an_error():
    with (
        connection.cursor() as cursor,
        pytest.raises(OperationalError),
        statement_timeout("default", seconds=60),
    ):
        cursor.execute("SELECT pg_cancel_backend(pg_backend_pid())")
