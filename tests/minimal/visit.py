"""Visit the minimal site in its own process: ``python -m tests.minimal.visit``."""

import os
import re

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.minimal.settings"


def signed_in(user):
    from django.test import Client

    client = Client(enforce_csrf_checks=True, headers={"user-agent": "Firefox/145.0"})
    client.force_login(user)
    return client


def form(page, action):
    """Return the hidden fields of the form whose action is this URL."""
    html = re.search(f'<form[^>]* action="{re.escape(action)}".*?</form>', page, re.S)[
        0
    ]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', html))


def main():
    from django.apps import apps
    from django.contrib.auth.models import User
    from django.core.management import call_command

    assert not apps.is_installed("wagtail")
    call_command("migrate", verbosity=0)
    call_command("check", fail_level="ERROR")
    user = User.objects.create_user("ann")
    here, there = signed_in(user), signed_in(user)
    pk = there.session.id
    revoke = f"/devices/{pk}/revoke/"

    page = here.get("/devices/").content.decode()
    assert "You are signed in on 2 devices." in page
    assert here.post(revoke).status_code == 403
    page = here.get(f"/devices/?confirm={pk}").content.decode()
    assert here.post(revoke, form(page, revoke)).url == "/devices/"
    assert "You are signed in on 1 device." in here.get("/devices/").content.decode()
    assert there.get("/devices/").url == "/accounts/login/?next=/devices/"
    print("visited")  # noqa: T201


if __name__ == "__main__":
    django.setup()
    main()
