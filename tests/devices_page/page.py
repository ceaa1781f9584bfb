"""The devices page in tests: its text, its form fields, and the rows behind it."""

import re
from datetime import timedelta

from django.utils import timezone

from tests.urls_devices_page import (
    URL,
    id_of,
)
from wagtail_user_sessions.models import Session

REVOKE_OTHERS_URL = f"{URL}revoke-others/"


def text(response):
    html = response.content.decode().replace("<wbr>", "")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def change(client, **columns):
    Session.objects.filter(pk=id_of(client)).update(**columns)


def open_fields(client, of):
    """Return the fields of the form that opens a confirmation or the form for a name.

    It has the buttons of the device ``of``, and is sent to the URL of the list.
    """
    html = client.get(URL).content.decode()
    item = html.partition(f'id="wus-{id_of(of)}"')[2]
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', item.split("<button")[0]))


def ago(**duration):
    return timezone.now() - timedelta(**duration)
