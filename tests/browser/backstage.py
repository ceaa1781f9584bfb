"""Calls that no browser can make: they create accounts and sessions, and read rows.

``python -m tests.browser.backstage`` reads one call a line, as JSON, and prints
its result. It is a process of its own, because it needs the settings of the site
that the browsers visit.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from importlib import import_module

import django

PASSWORD = "a password of the tests"


def user(username):
    from django.contrib.auth import get_user_model

    get_user_model().objects.create(username=username, password=_encoded())


def is_known_password(username, password):
    from django.contrib.auth import get_user_model

    return get_user_model().objects.get(username=username).check_password(password)


def session(username, user_agent, ip, minutes=0, name="", *, with_browser=False):
    """Make a session as a sign-in does, last used some minutes ago."""
    from django.conf import settings
    from django.contrib.auth import get_user_model

    from wagtail_user_sessions.client.ip_address import parse_ip
    from wagtail_user_sessions.client.request import Client

    owner = get_user_model().objects.get(username=username)
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store.client = Client(ip=parse_ip(ip), user_agent=user_agent)
    store["_auth_user_id"] = str(owner.pk)
    store["_auth_user_backend"] = settings.AUTHENTICATION_BACKENDS[0]
    store["_auth_user_hash"] = owner.get_session_auth_hash()
    if with_browser:
        store.set_expiry(0)
    store.save()
    change(str(store.id), minutes=minutes, name=name)
    return {"id": str(store.id), "key": store.session_key}


def copies(pk, count):
    """Make so many sessions of the same user, each a minute older than the last."""
    import os

    from wagtail_user_sessions.models import Session

    row = Session.objects.get(pk=pk)
    rows = []
    for number in range(1, count + 1):
        columns = {
            field.attname: getattr(row, field.attname)
            for field in Session._meta.concrete_fields
            if field.name != "id"
        }
        columns["key_hash"] = os.urandom(32)
        columns["last_activity"] = row.last_activity - timedelta(minutes=number)
        rows.append(Session(**columns))
    return [str(row.pk) for row in Session.objects.bulk_create(rows)]


def change(pk, *, minutes=None, **columns):
    from django.utils import timezone

    from wagtail_user_sessions.models import Session

    if minutes is not None:
        columns["last_activity"] = timezone.now() - timedelta(minutes=minutes)
    assert Session.objects.filter(pk=pk).update(**columns) == 1


def row(pk):
    """Return some columns of a session; ``None`` if it has ended."""
    from wagtail_user_sessions.models import Session

    columns = ("name", "last_activity", "expire_date")
    found = Session.objects.filter(pk=pk).values(*columns).first()
    return found and {name: str(value) for name, value in found.items()}


def revoke(pk):
    from wagtail_user_sessions.models import Session

    return Session.objects.get(pk=pk).revoke()


def devices_page(slug, title="Devices", introduction="", *, is_restricted=False):
    """Make a page of the tree with the list of devices; return its id."""
    from wagtail.models import PageViewRestriction

    from sandbox.home.models import DevicesPage, HomePage

    page = DevicesPage(slug=slug, title=title, introduction=introduction)
    HomePage.objects.get().add_child(instance=page)
    if is_restricted:
        PageViewRestriction.objects.create(page=page, restriction_type="login")
    return page.pk


def _encoded(known=[]):  # noqa: B006
    """Return the hash of the password, computed once because that is slow."""
    from django.contrib.auth.hashers import make_password

    if not known:
        known.append(make_password(PASSWORD))
    return known[0]


def main():
    django.setup()
    calls = {
        call.__name__: call
        for call in (
            change,
            copies,
            devices_page,
            is_known_password,
            revoke,
            row,
            session,
            user,
        )
    }
    for line in sys.stdin:
        name, arguments = json.loads(line)
        sys.stdout.write(json.dumps(calls[name](**arguments)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
