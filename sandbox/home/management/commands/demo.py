from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
)
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import BaseCommand, call_command
from django.utils import timezone

from sandbox import geoip
from sandbox.home.accounts import ACCOUNTS, Account, Visit
from sandbox.home.pages import save_devices_page
from wagtail_user_sessions.client.ip_address import parse_ip
from wagtail_user_sessions.client.request import Client
from wagtail_user_sessions.models import Session

PAGES = (
    ("Home page", "/"),
    ("Sign in", "/login/"),
    ("Your devices", "/account/devices/"),
    ("In Wagtail", "/your-devices/"),
    ("Wagtail admin", "/admin/"),
)


class Command(BaseCommand):
    help = "Set up the sandbox with accounts and sessions; may be run again."
    # The checks would miss the GeoIP database, which this command makes.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--address", default="http://127.0.0.1:8000")

    def handle(self, *, address: str, **options: Any) -> None:
        geoip.build(settings.VAR_DIR)
        call_command("migrate", verbosity=0, interactive=False)
        save_devices_page()
        let_editors_manage_sessions()
        for account in ACCOUNTS:
            user = save_user(account)
            for visit in account.visits:
                renew_session(user, visit)
        for title, path in PAGES:
            self.stdout.write(f"{title:<14} {address}{path}")
        self.stdout.write(f"\n{'Account':<14} Password")
        for account in ACCOUNTS:
            self.stdout.write(f"{account.username:<14} {account.password}")


def let_editors_manage_sessions() -> None:
    permissions = Permission.objects.filter(
        content_type=ContentType.objects.get_for_model(Session)
    )
    Group.objects.get(name="Editors").permissions.add(*permissions)


def save_user(account: Account) -> User:
    first_name, last_name = account.name.split()
    columns = {
        "first_name": first_name,
        "last_name": last_name,
        "email": f"{account.username}@example.com",
        "is_superuser": account.is_superuser,
        "is_staff": account.is_superuser,
        "is_active": True,
    }
    user, _ = get_user_model().objects.update_or_create(
        columns, username=account.username
    )
    if not user.check_password(account.password):
        # Only then: a new password ends the user's sessions.
        user.set_password(account.password)
        user.save()
    if account.group:
        user.groups.add(Group.objects.get(name=account.group))
    return user


def renew_session(user: User, visit: Visit) -> None:
    """Make a session as a sign-in does, in place of that of an earlier run."""
    client = Client(ip=parse_ip(visit.ip), user_agent=visit.user_agent)
    Session.objects.filter(user=user, ip=visit.ip, user_agent=visit.user_agent).delete()
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store.client = client
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    if visit.ends_with_browser:
        store.set_expiry(0)
    store.save()
    now = timezone.now()
    signed_in_at = now - visit.signed_in
    Session.objects.filter(pk=store.id).update(
        name=visit.name,
        created_at=signed_in_at,
        signed_in_at=signed_in_at,
        last_activity=now - visit.last_activity,
        expire_date=signed_in_at + timedelta(seconds=settings.SESSION_COOKIE_AGE),
    )
