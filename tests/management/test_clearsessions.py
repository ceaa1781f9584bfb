from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.db import connection
from django.utils import timezone

from wagtail_user_sessions.models import Reason, Session
from wagtail_user_sessions.signals import session_ended

pytestmark = pytest.mark.django_db


def test_only_expired_sessions_are_deleted(run, start, is_alive, rows, small_batches):
    alive = [start() for _ in range(3)]
    for _ in range(5):
        start(expired=True)
    output, errors = run("clearsessions")
    assert output == "5 expired sessions were deleted.\n"
    assert errors == ""
    assert rows.count() == 3
    assert all(map(is_alive, alive))


def test_nothing_to_delete_is_no_error(run, start):
    start()
    assert run("clearsessions") == ("0 expired sessions were deleted.\n", "")


def test_a_dry_run_deletes_nothing(run, start, rows):
    start()
    start(expired=True)
    output, _ = run("clearsessions", dry_run=True)
    assert output == "1 session has expired. Nothing was deleted.\n"
    assert rows.count() == 2


@pytest.mark.parametrize(
    ("size", "queries"),
    # One query counts, three delete a batch, two find no more rows, and one finds no
    # not-before marker.
    [(1, 1 + 6 * 3 + 3), (2, 1 + 3 * 3 + 3), (3, 1 + 2 * 3 + 3), (6, 1 + 3 + 3)],
)
def test_the_queries_grow_with_the_batches_and_not_with_the_rows(
    run, start, rows, batches_of, django_assert_num_queries, size, queries
):
    batches_of(size)
    for _ in range(6):
        start(expired=True)
    with django_assert_num_queries(queries):
        run("clearsessions")


def test_a_row_that_is_extended_after_it_was_chosen_stays(run, start, is_alive, rows):
    extended = start(expired=True)
    start(expired=True)
    waiting = [extended]

    def extend_before_the_deletion(execute, sql, *args):
        if sql.startswith("DELETE") and waiting:
            later = timezone.now() + timedelta(days=1)
            rows.for_key(waiting.pop()).update(expire_date=later)
        return execute(sql, *args)

    with connection.execute_wrapper(extend_before_the_deletion):
        output, _ = run("clearsessions")
    assert output == "1 expired session was deleted.\n"
    assert is_alive(extended)


@pytest.mark.django_db(transaction=True)
def test_session_ended_is_sent_for_each_expired_session(
    run, start, rows, small_batches
):
    ended = []

    def listener(sender, session, reason, actor, **kwargs):
        ended.append((session.pk, reason, actor))

    keys = [start(expired=True) for _ in range(3)]
    expected = {(rows.for_key(key).get().pk, Reason.EXPIRED, None) for key in keys}
    alive = start()
    session_ended.connect(listener, sender=Session)
    try:
        output, _ = run("clearsessions")
    finally:
        session_ended.disconnect(listener, sender=Session)
    assert output == "3 expired sessions were deleted.\n"
    assert set(ended) == expected
    assert len(ended) == 3
    assert rows.for_key(alive).exists()


def test_a_terminal_sees_a_bar(run, start, terminal, small_batches):
    for _ in range(4):
        start(expired=True)
    run("clearsessions", stderr=terminal)
    half, whole = "#" * 20 + " " * 20, "#" * 40
    assert terminal.getvalue() == f"\r[{half}] 2/4\r[{whole}] 4/4\n"


def test_a_terminal_sees_no_bar_where_nothing_has_expired(run, start, terminal):
    start()
    run("clearsessions", stderr=terminal)
    assert terminal.getvalue() == ""


def test_a_bar_counts_the_sessions_that_expire_meanwhile(
    run, start, rows, terminal, small_batches
):
    start(expired=True)
    late = [start(), start()]

    def expire_before_the_deletion(execute, sql, *args):
        if sql.startswith("DELETE") and late:
            past = timezone.now() - timedelta(seconds=1)
            rows.for_key(late.pop()).update(expire_date=past)
        return execute(sql, *args)

    with connection.execute_wrapper(expire_before_the_deletion):
        run("clearsessions", stderr=terminal)
    assert terminal.getvalue().endswith("] 2/2\n")


def test_another_engine_is_refused(run, settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    with pytest.raises(CommandError, match="signed_cookies, which has no rows"):
        run("clearsessions")
