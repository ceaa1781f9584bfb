import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse
from django.utils import timezone
from wagtail.users.models import UserProfile

from tests.urls_devices_page import signed_in
from wagtail_user_sessions.hashing import valid_auth_hashes
from wagtail_user_sessions.models import Session

NAMESPACE = "wagtailsnippets_wagtail_user_sessions_session"
LIST = "/admin/snippets/wagtail_user_sessions/session/"
BULK = "/admin/bulk/wagtail_user_sessions/session/delete/"
# That of users of the admin, where the site isn't in UTC; see TEST_TIME_ZONE.
VIEWER_ZONE = "America/New_York"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1"
)


def url(name, *args):
    return reverse(f"{NAMESPACE}:{name}", args=args)


def row_of(client):
    return Session.objects.get(pk=client.session.id)


def listed(response):
    """The ids of the sessions that a page of the listing shows."""
    return re.findall(r'id="snippet_([0-9a-f-]{36})_title"', response.content.decode())


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def said(response):
    """The messages of a page."""
    found = [str(message) for message in response.context["messages"]]
    return [
        re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)).strip() for text in found
    ]


def set_zone(user, zone):
    """Choose the user's time zone, as in the account settings."""
    profile = UserProfile.get_for_user(user)
    profile.current_time_zone = zone
    profile.save()


@pytest.fixture
def person(django_user_model, settings):
    """Makes users: ``person("will", "view")`` may enter the admin and see sessions."""

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
        if settings.TIME_ZONE != "UTC":
            set_zone(user, VIEWER_ZONE)
        return user

    return make


@pytest.fixture
def superuser(person):
    return person("sue", is_superuser=True, first_name="Sue", last_name="Super")


@pytest.fixture
def manager(person):
    """A user who may see sessions and sign them out."""
    return person("mary", "view", "delete", first_name="Mary", last_name="Manager")


@pytest.fixture
def viewer(person):
    return person("will", "view")


@pytest.fixture
def editor(person):
    """A user who may enter the admin, but not see sessions."""
    return person("ed")


@pytest.fixture
def visitor(person):
    return person("vera", access=False, first_name="Vera", last_name="Visitor")


@pytest.fixture
def vera(visitor):
    """The browser of a visitor."""
    return signed_in(visitor)


@pytest.fixture
def mary(manager):
    """The browser of the manager."""
    return signed_in(manager)


@pytest.fixture
def sue(superuser):
    """The browser of a superuser."""
    return signed_in(superuser)


@pytest.fixture
def make_row(db):
    """Makes rows without a browser: ``make_row(user, country="GB")``."""

    def make(user=None, **columns):
        now = timezone.now()
        number = Session.objects.count()
        columns = {
            "key_hash": number.to_bytes(32),
            "session_data": "",
            "expire_date": now + timedelta(days=1),
            "signed_in_at": None if user is None else now - timedelta(minutes=number),
            "last_activity": None if user is None else now,
            "auth_digest": user and valid_auth_hashes(user)[0],
            **columns,
        }
        return Session.objects.create(user=user, **columns)

    return make
