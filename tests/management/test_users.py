"""Users that are named on the command line of ``revoke_sessions``."""

import pytest
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.management import CommandError
from django.test.utils import isolate_apps

from wagtail_user_sessions.management import users

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_user_may_be_named_by_id(run, start, is_alive, ada, ben):
    adas, bens = start(ada), start(ben)
    run("revoke_sessions", "--user", str(ada.pk))
    assert (is_alive(adas), is_alive(bens)) == (False, True)


def test_a_user_may_be_named_by_the_username_field(
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


def test_a_name_that_matches_two_users_ends_nothing(
    run, start, is_alive, ada, django_user_model
):
    other = django_user_model.objects.create_user(str(ada.pk))
    keys = [start(ada), start(other)]
    with pytest.raises(CommandError, match="of one user and the id of another"):
        run("revoke_sessions", "--user", str(ada.pk))
    assert all(map(is_alive, keys))
    run("revoke_sessions", "--user", "ada")
    assert list(map(is_alive, keys)) == [False, True]


def test_a_name_given_in_code_is_one_user_and_not_its_letters(
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


@isolate_apps("tests")
def test_users_without_is_superuser_are_a_command_error(
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
