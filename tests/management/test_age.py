"""The age of sessions: the option ``--older-than``."""

from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.utils import timezone

from wagtail_user_sessions.management import age

pytestmark = pytest.mark.django_db(transaction=True)


def test_only_sessions_signed_in_to_longer_ago_are_ended(run, start, is_alive, ada):
    old, young = (start(ada, age=timedelta(days=days)) for days in (31, 29))
    run("revoke_sessions", "--user", "ada", "--older-than", "30d")
    assert (is_alive(old), is_alive(young)) == (False, True)


def test_an_old_session_with_a_recent_sign_in_is_young(run, start, is_alive, rows, ada):
    key = start(ada, age=timedelta(days=31))
    rows.for_key(key).update(signed_in_at=timezone.now())
    run("revoke_sessions", "--all", "--older-than", "30d")
    assert is_alive(key)


def test_the_age_of_a_visitors_session_counts_from_its_creation(run, start, is_alive):
    old, young = (start(age=timedelta(days=days)) for days in (31, 29))
    run("revoke_sessions", "--all", "--older-than", "30d")
    assert (is_alive(old), is_alive(young)) == (False, True)


def test_older_than_and_except_superusers_combine(run, start, is_alive, ada, root):
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
    difference = timezone.now() - expected - age.time_before(text)
    assert abs(difference) < timedelta(seconds=10)


@pytest.mark.parametrize(
    "text",
    ["", "30", "d", "0d", "-1d", "1.5d", "30 d", "30D", "30s", "1d12h", "٣d", "30d\n"],
)
def test_an_invalid_age_is_refused(run, start, is_alive, ada, text):
    key = start(ada)
    with pytest.raises(CommandError, match="is no age"):
        run("revoke_sessions", "--all", f"--older-than={text}")
    assert is_alive(key)


@pytest.mark.parametrize("text", ["9999999w", "9" * 30 + "d", "9" * 5000 + "m"])
def test_an_age_that_is_too_long_for_a_date_is_refused(run, text):
    with pytest.raises(CommandError, match="No session can be as old"):
        run("revoke_sessions", "--all", f"--older-than={text}")
