import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from wagtail_user_sessions.models import Session

NAMESPACE = "wagtailsnippets_wagtail_user_sessions_session"


def url(name, *args):
    return reverse(f"{NAMESPACE}:{name}", args=args)


@pytest.fixture
def person(django_user_model):
    """Makes users: ``person("vera", "view", access=True)`` with permissions."""

    def make(username, *permissions, access=True, **columns):
        user = django_user_model.objects.create_user(
            username, f"{username}@example.com", "secret", **columns
        )
        codenames = [f"{name}_session" for name in permissions]
        if access:
            codenames.append("access_admin")
        group, _ = Group.objects.get_or_create(name=f"{username}'s")
        group.permissions.set(Permission.objects.filter(codename__in=codenames))
        user.groups.add(group)
        return user

    return make


@pytest.fixture
def superuser(person):
    return person("sue", is_superuser=True, first_name="Sue", last_name="Super")


@pytest.fixture
def manager(person):
    """Who may see sessions and end them."""
    return person("mary", "view", "delete", first_name="Mary", last_name="Manager")


@pytest.fixture
def viewer(person):
    return person("will", "view")


@pytest.fixture
def editor(person):
    """Who may enter the admin, and see no sessions."""
    return person("ed")


@pytest.fixture
def visitor(person):
    return person("vera", access=False, first_name="Vera", last_name="Visitor")


def session_of(client):
    return Session.objects.get(pk=client.session.id)
