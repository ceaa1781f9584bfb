from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import isolate_apps
from django.utils import timezone

from wagtail_user_sessions.cache import copies
from wagtail_user_sessions.management import age, users
from wagtail_user_sessions.models import Reason, Session
from wagtail_user_sessions.signals import session_ended

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(django_user_model):
    return django_user_model.objects.create_user("ada", email="ada@example.com")


@pytest.fixture
def ben(django_user_model):
    return django_user_model.objects.create_user("ben")


@pytest.fixture
def root(django_user_model):
    return django_user_model.objects.create_superuser("root")


@pytest.fixture
def ended():
    """The user, reason and actor of each session that ended, as it is told."""
    told = []

    def listener(sender, session, reason, actor, **kwargs):
        told.append((session.user_id, reason, actor))

    session_ended.connect(listener, sender=Session)
    yield told
    session_ended.disconnect(listener, sender=Session)


# Of users


def test_all_sessions_of_a_user_are_ended_and_nobody_elses(
    run, start, is_alive, ada, ben
):
    adas = [start(ada), start(ada), start(ada, expired=True)]
    others = [start(ben), start()]
    assert all(map(is_alive, [*adas[:2], *others]))
    assert run("revoke_sessions", "--user", "ada") == ("3 sessions were ended.\n", "")
    assert not any(map(is_alive, adas))
    assert all(map(is_alive, others))


def test_a_user_may_be_named_by_id(run, start, is_alive, ada, ben):
    adas, bens = start(ada), start(ben)
    run("revoke_sessions", "--user", str(ada.pk))
    assert (is_alive(adas), is_alive(bens)) == (False, True)


def test_a_user_is_named_by_what_the_user_signs_in_with(
    run, start, is_alive, ada, monkeypatch, django_user_model
):
    key = start(ada)
    monkeypatch.setattr(django_user_model, "USERNAME_FIELD", "email")
    run("revoke_sessions", "--user", "ada@example.com")
    assert not is_alive(key)


@pytest.mark.parametrize(
    "arguments", [["--user", "ada", "--user", "ben"], ["--user", "ada", "ben"]]
)
def test_several_users_may_be_named(run, start, is_alive, ada, ben, root, arguments):
    keys = [start(ada), start(ben)]
    roots = start(root)
    output, _ = run("revoke_sessions", *arguments)
    assert output == "2 sessions were ended.\n"
    assert not any(map(is_alive, keys))
    assert is_alive(roots)


def test_an_unknown_user_leaves_the_sessions_of_the_known_ones(
    run, start, is_alive, ada
):
    key = start(ada)
    with pytest.raises(CommandError, match="There is no user 'nobody'"):
        run("revoke_sessions", "--user", "ada", "--user", "nobody")
    assert is_alive(key)


@pytest.mark.parametrize("name", ["", "9" * 40, "-1", "1.0", "ad_"])
def test_an_odd_name_is_an_unknown_user(run, ada, name):
    with pytest.raises(CommandError, match="There is no user"):
        run("revoke_sessions", f"--user={name}")


def test_a_name_that_may_mean_two_users_ends_nothing(
    run, start, is_alive, ada, django_user_model
):
    other = django_user_model.objects.create_user(str(ada.pk))
    keys = [start(ada), start(other)]
    with pytest.raises(CommandError, match="of one user and the id of another"):
        run("revoke_sessions", "--user", str(ada.pk))
    assert all(map(is_alive, keys))
    run("revoke_sessions", "--user", "ada")
    assert list(map(is_alive, keys)) == [False, True]


def test_the_letters_of_a_name_given_in_code_are_no_users(
    run, start, is_alive, ada, ben, django_user_model
):
    django_user_model.objects.create_user("a")
    key = start(django_user_model.objects.get_by_natural_key("a"))
    adas = start(ada)
    run("revoke_sessions", user="ada")
    assert (is_alive(key), is_alive(adas)) == (True, False)
    bens = start(ben)
    run("revoke_sessions", user=["ada", "ben"])
    assert not is_alive(bens)


def test_a_listener_learns_why_a_users_sessions_ended(run, start, ada, ended):
    start(ada)
    run("revoke_sessions", "--user", "ada")
    assert ended == [(ada.pk, Reason.REVOKED, None)]


# Of everybody


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


def test_superusers_are_left_out_of_everybody_only(run, start, is_alive, root):
    key = start(root)
    with pytest.raises(CommandError, match="--except-superusers needs --all"):
        run("revoke_sessions", "--user", "root", "--except-superusers")
    assert is_alive(key)


@isolate_apps("tests")
def test_users_without_the_column_for_superusers_are_a_clear_error(
    run, start, is_alive, ada, monkeypatch
):
    class Person(AbstractBaseUser):
        is_superuser = True

        class Meta:
            app_label = "tests"

    key = start(ada)
    monkeypatch.setattr(users, "get_user_model", lambda: Person)
    with pytest.raises(CommandError, match=r"tests\.Person has no field is_superuser"):
        run("revoke_sessions", "--all", "--except-superusers")
    assert is_alive(key)


def test_those_are_signed_out_of_whom_nobody_knows_when_they_signed_in(
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
    # One counts, one finds nobody ahead of the clock, three delete a batch, two find
    # no more, and the last one nobody who hasn't signed in.
    with django_assert_num_queries(1 + 1 + 3 * batches + 2 + 1):
        run("revoke_sessions", "--all", "--except-superusers")


@pytest.fixture
def at_each_deletion():
    """Calls the first function before a deletion, the second one after it."""

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


def test_a_copy_made_while_the_rows_are_deleted_is_not_believed(
    run, start, is_alive, ada, at_each_deletion
):
    key = start(ada)
    # Twice: the cache may have lost its epoch.
    with at_each_deletion(lambda: [is_alive(key), is_alive(key)]):
        run("revoke_sessions", "--all")
    assert not is_alive(key)


def test_a_copy_is_not_believed_while_later_batches_are_deleted(
    run, start, is_alive, rows, ada, at_each_deletion, small_batches
):
    keys = [start(ada) for _ in range(6)]
    counts = []

    def count():
        alive = [key for key in keys if is_alive(key)]
        assert all(rows.for_key(key).exists() for key in alive)
        counts.append(len(alive))

    with at_each_deletion(count):
        run("revoke_sessions", "--all", "--except-superusers")
    assert counts == [6, 4, 2, 0]


@pytest.mark.parametrize(
    ("arguments", "alive"), [(["--all"], 0), (["--all", "--except-superusers"], 3)]
)
def test_what_was_ended_before_an_interruption_is_not_believed(
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


def test_in_a_transaction_the_copies_are_disowned_once_it_has_committed(
    run, start, is_alive, ada, engine, monkeypatch
):
    purges = []

    def purge_all(*_):
        purges.append(connection.in_atomic_block)
        return True

    monkeypatch.setattr(engine.SessionStore, "purge_all", classmethod(purge_all))
    monkeypatch.setattr(copies, "purge_all", purge_all)
    start(ada)
    with transaction.atomic():
        run("revoke_sessions", "--all")
        assert purges == [True]
    assert set(purges[1:]) == {False}


def test_a_rolled_back_revocation_signs_nobody_out(run, start, is_alive, ada):
    key = start(ada)
    with transaction.atomic():
        run("revoke_sessions", "--all")
        transaction.set_rollback(True)
    assert is_alive(key)


def test_a_site_that_listens_is_told_of_each_session(
    run, start, ada, ended, small_batches
):
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


# Of a certain age


def test_only_sessions_signed_in_to_longer_ago_are_ended(run, start, is_alive, ada):
    old, young = (start(ada, age=timedelta(days=days)) for days in (31, 29))
    run("revoke_sessions", "--user", "ada", "--older-than", "30d")
    assert (is_alive(old), is_alive(young)) == (False, True)


def test_an_old_session_signed_in_to_of_late_is_young(run, start, is_alive, rows, ada):
    key = start(ada, age=timedelta(days=31))
    rows.for_key(key).update(signed_in_at=timezone.now())
    run("revoke_sessions", "--all", "--older-than", "30d")
    assert is_alive(key)


def test_the_age_of_a_visitors_session_counts_from_its_birth(run, start, is_alive):
    old, young = (start(age=timedelta(days=days)) for days in (31, 29))
    run("revoke_sessions", "--all", "--older-than", "30d")
    assert (is_alive(old), is_alive(young)) == (False, True)


def test_age_and_superusers_are_left_out_together(run, start, is_alive, ada, root):
    age = timedelta(days=31)
    keys = [start(ada, age=age), start(ada), start(root, age=age), start(root)]
    options = ["--except-superusers", "--older-than", "30d"]
    run("revoke_sessions", "--all", *options)
    assert list(map(is_alive, keys)) == [False, True, True, True]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", timedelta(minutes=90)),
        ("12h", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("4w", timedelta(weeks=4)),
    ],
)
def test_an_age_is_counted_in_minutes_hours_days_or_weeks(text, expected):
    difference = timezone.now() - expected - age.moment_before(text)
    assert abs(difference) < timedelta(seconds=10)


@pytest.mark.parametrize(
    "text",
    ["", "30", "d", "0d", "-1d", "1.5d", "30 d", "30D", "30s", "1d12h", "٣d", "30d\n"],
)
def test_what_is_no_age_is_refused(run, start, is_alive, ada, text):
    key = start(ada)
    with pytest.raises(CommandError, match="is no age"):
        run("revoke_sessions", "--all", f"--older-than={text}")
    assert is_alive(key)


@pytest.mark.parametrize("text", ["9999999w", "9" * 30 + "d", "9" * 5000 + "m"])
def test_an_age_beyond_the_calendar_is_refused(run, text):
    with pytest.raises(CommandError, match="No session can be as old"):
        run("revoke_sessions", "--all", f"--older-than={text}")


# What goes for all


@pytest.mark.parametrize("arguments", [[], ["--all", "--user", "ada"]])
def test_either_users_or_everybody_must_be_named(arguments):
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
def test_a_dry_run_tells_how_many_it_would_be_and_changes_nothing(
    run, start, is_alive, ada, root, ended, arguments, count
):
    keys = [start(ada), start(ada, age=timedelta(days=31)), start(root), start()]
    output, _ = run("revoke_sessions", *arguments, "--dry-run")
    assert output == f"{count} would be ended. Nothing was changed.\n"
    assert all(map(is_alive, keys))
    assert ended == []


@pytest.mark.parametrize("engine", ["cached_db"], indirect=True)
@pytest.mark.parametrize("arguments", [["--user", "ada"], ["--all"]])
def test_a_cache_that_could_not_be_told_is_a_warning(
    run, start, monkeypatch, ada, arguments
):
    start(ada)
    for name in ("purge_ended", "purge_all"):
        monkeypatch.setattr(copies, name, lambda *args: False)
    output, errors = run("revoke_sessions", *arguments)
    assert output == "1 session was ended.\n"
    assert "300 seconds (WAGTAIL_USER_SESSIONS_CACHE_MAX_AGE)" in errors


def test_a_cache_that_is_back_in_the_end_is_no_warning(
    run, start, engine, monkeypatch, ada
):
    start(ada)
    answers = [False]

    def purge_all(cls):
        return answers.pop() if answers else True

    monkeypatch.setattr(engine.SessionStore, "purge_all", classmethod(purge_all))
    assert run("revoke_sessions", "--all") == ("1 session was ended.\n", "")


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
