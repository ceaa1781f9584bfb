"""The command ``revoke_sessions``."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.models import Reason

pytestmark = pytest.mark.django_db(transaction=True)


def test_all_sessions_of_a_user_are_ended_and_nobody_elses(
    run, start, is_alive, ada, ben
):
    adas = [start(ada), start(ada), start(ada, expired=True)]
    others = [start(ben), start()]
    assert all(map(is_alive, [*adas[:2], *others]))
    assert run("revoke_sessions", "--user", "ada") == ("3 sessions were ended.\n", "")
    assert not any(map(is_alive, adas))
    assert all(map(is_alive, others))


def test_session_ended_has_the_reason_revoked(run, start, ada, ended):
    start(ada)
    run("revoke_sessions", "--user", "ada")
    assert ended == [(ada.pk, Reason.REVOKED, None)]


def test_everybody_is_signed_out(run, start, is_alive, rows, ada, root, small_batches):
    keys = [start(ada), start(ada), start(root), start(), start()]
    assert all(map(is_alive, keys))
    assert run("revoke_sessions", "--all") == ("5 sessions were ended.\n", "")
    assert not any(map(is_alive, keys))
    assert not rows.exists()


def test_superusers_can_be_left_out(run, start, is_alive, ada, root, small_batches):
    others = [start(ada), start(ada), start()]
    roots = start(root)
    output, _ = run("revoke_sessions", "--all", "--except-superusers")
    assert output == "3 sessions were ended.\n"
    assert not any(map(is_alive, others))
    assert is_alive(roots)


def test_except_superusers_needs_all(run, start, is_alive, root):
    key = start(root)
    with pytest.raises(CommandError, match="--except-superusers needs --all"):
        run("revoke_sessions", "--user", "root", "--except-superusers")
    assert is_alive(key)


def test_sessions_without_a_sign_in_time_are_ended_too(
    run, start, is_alive, rows, ada, small_batches
):
    keys = [start(ada) for _ in range(5)]
    for key in keys[:3]:
        rows.for_key(key).update(signed_in_at=None)
    assert run("revoke_sessions", "--all") == ("5 sessions were ended.\n", "")
    assert not any(map(is_alive, keys))


def test_a_visitor_who_signs_in_meanwhile_stays_signed_in(
    run, start, is_alive, rows, ada, at_each_deletion, small_batches
):
    visitor = start()
    keys = [start(ada) for _ in range(3)]

    def sign_in():
        rows.for_key(visitor).update(signed_in_at=timezone.now())

    with at_each_deletion(sign_in):
        run("revoke_sessions", "--all")
    assert is_alive(visitor)
    assert not any(map(is_alive, keys))


@pytest.mark.parametrize(
    ("size", "batches"),
    [(1, 6), (2, 3), (3, 2), (6, 1)],
)
def test_the_queries_grow_with_the_batches_and_not_with_the_rows(
    run, start, ada, batches_of, django_assert_num_queries, size, batches
):
    batches_of(size)
    for _ in range(6):
        start(ada)
    # One query counts, one finds no sign-in in the future, three delete a batch, two
    # find no more rows, and one finds no rows without a sign-in.
    with django_assert_num_queries(1 + 1 + 3 * batches + 2 + 1):
        run("revoke_sessions", "--all", "--except-superusers")


@pytest.fixture
def at_each_deletion():
    """Return a context manager that calls functions before and after each deletion."""

    @contextmanager
    def at_each_deletion(before, after=lambda: None):
        def wrapper(execute, sql, *args):
            if not sql.startswith("DELETE"):
                return execute(sql, *args)
            before()
            result = execute(sql, *args)
            after()
            return result

        with connection.execute_wrapper(wrapper):
            yield

    return at_each_deletion


def test_loads_while_the_rows_are_deleted_keep_nobody_signed_in(
    run, start, is_alive, ada, at_each_deletion
):
    key = start(ada, was_visitor=True)
    loads = []

    def load():
        loads.extend(is_alive(key, "GET") for _ in range(3))

    with at_each_deletion(load):
        run("revoke_sessions", "--all", "--except-superusers")
    assert loads
    assert all(loads)
    assert not is_alive(key, "GET")


def test_no_deleted_session_is_admitted_while_later_batches_are_deleted(
    run, start, is_alive, rows, ada, at_each_deletion, small_batches
):
    keys = [start(ada, was_visitor=number % 2) for number in range(6)]
    counts = []

    def count():
        alive = [key for key in keys if is_alive(key, "GET")]
        assert all(rows.for_key(key).exists() for key in alive)
        counts.append(len(alive))

    with at_each_deletion(count):
        run("revoke_sessions", "--all", "--except-superusers")
    assert counts == [6, 4, 2, 0]


@pytest.mark.parametrize(
    ("arguments", "alive"), [(["--all"], 0), (["--all", "--except-superusers"], 3)]
)
def test_sessions_ended_before_an_interruption_are_not_admitted(
    run, start, is_alive, ada, at_each_deletion, small_batches, arguments, alive
):
    keys = [start(ada) for _ in range(5)]

    def interrupt():
        raise KeyboardInterrupt

    with (
        at_each_deletion(lambda: [is_alive(key) for key in keys * 2], interrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        run("revoke_sessions", *arguments)
    assert sum(map(is_alive, keys)) == alive


def test_a_visitors_session_is_refused_by_the_next_request_that_is_no_get(
    run, start, is_alive
):
    key = start(was_visitor=True)
    assert is_alive(key, "GET")
    run("revoke_sessions", "--all")
    assert not is_alive(key, "POST")


def test_in_a_transaction_users_are_refused_from_its_commit_on(
    run, start, is_alive, ada
):
    key = start(ada, was_visitor=True)
    with transaction.atomic():
        run("revoke_sessions", "--all")
    assert not is_alive(key, "GET")


def test_a_rolled_back_revocation_signs_nobody_out(run, start, is_alive, ada):
    key = start(ada)
    with transaction.atomic():
        run("revoke_sessions", "--all")
        transaction.set_rollback(True)
    assert is_alive(key)


def test_session_ended_is_sent_for_each_session(run, start, ada, ended, small_batches):
    for user in (ada, ada, None):
        start(user)
    run("revoke_sessions", "--all")
    assert sorted(ended, key=str) == sorted(
        [(ada.pk, Reason.REVOKED, None)] * 2 + [(None, Reason.REVOKED, None)], key=str
    )


def test_a_terminal_sees_a_bar(run, start, ada, terminal, small_batches):
    for _ in range(4):
        start(ada)
    run("revoke_sessions", "--all", stderr=terminal)
    assert terminal.getvalue().endswith(f"\r[{'#' * 40}] 4/4\n")


@pytest.mark.parametrize("arguments", [[], ["--all", "--user", "ada"]])
def test_either_user_or_all_is_required(arguments):
    with pytest.raises(CommandError):
        call_command("revoke_sessions", *arguments)


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["--user", "ada"], "2 sessions"),
        (["--all"], "4 sessions"),
        (["--all", "--except-superusers"], "3 sessions"),
        (["--all", "--older-than", "30d"], "1 session"),
    ],
)
def test_a_dry_run_reports_the_number_and_changes_nothing(
    run, start, is_alive, ada, root, ended, arguments, count
):
    keys = [start(ada), start(ada, age=timedelta(days=31)), start(root), start()]
    output, _ = run("revoke_sessions", *arguments, "--dry-run")
    assert output == f"{count} would be ended. Nothing was changed.\n"
    assert all(map(is_alive, keys))
    assert ended == []


@pytest.mark.parametrize("arguments", [["--user", "ada"], ["--all"]])
def test_users_are_refused_without_the_cache_and_without_a_warning(
    run, start, is_alive, monkeypatch, ada, arguments
):
    def gone():
        raise ConnectionError

    key = start(ada, was_visitor=True)
    with monkeypatch.context() as outage:
        outage.setattr(copies, "get_session_cache", gone)
        assert run("revoke_sessions", *arguments) == ("1 session was ended.\n", "")
        assert not is_alive(key, "GET")
    copies._paused_until = 0.0
    assert not is_alive(key, "GET")


def test_everybody_can_be_signed_out_in_code(run, start, is_alive, ada):
    key = start(ada)
    run("revoke_sessions", all=True, older_than="30d")
    assert is_alive(key)
    run("revoke_sessions", all=True)
    assert not is_alive(key)


def test_another_engine_is_refused(run, settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    with pytest.raises(CommandError, match="signed_cookies, which has no rows"):
        run("revoke_sessions", "--all")
