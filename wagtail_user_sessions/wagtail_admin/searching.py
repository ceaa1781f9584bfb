"""Sessions found by the name or mail address of their user, or by an IP address."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Q

from wagtail_user_sessions.models import SessionQuerySet

# The beginning of an address, such as "192.0.2." and "2001:db8:".
BEGINNING = re.compile(r"[0-9a-f]{1,4}([.:][0-9a-f.:]*)", re.IGNORECASE)
MAX_WORDS = 10
NAMES = ("first_name", "last_name")


def search(rows: SessionQuerySet, text: str) -> SessionQuerySet:
    """The rows whose user has all the words in a name or the mail address, or
    whose IP address is, or begins with, the text.
    """
    condition = Q(user__in=_users(text))
    address = _address(text.strip())
    return rows.filter(condition if address is None else condition | address)


def _users(text: str) -> models.QuerySet[Any]:
    users = get_user_model()._base_manager.all()
    names = _name_fields()
    for word in text.split()[:MAX_WORDS]:
        users = users.filter(
            Q.create([(f"{name}__icontains", word) for name in names], Q.OR)
        )
    return users.order_by()


def _name_fields() -> list[str]:
    model = get_user_model()
    own = {field.name for field in model._meta.concrete_fields}
    candidates = (model.USERNAME_FIELD, model.get_email_field_name(), *NAMES)
    return [name for name in dict.fromkeys(candidates) if name in own]


def _address(text: str) -> Q | None:
    try:
        return Q(ip=str(ipaddress.ip_address(text)))
    except ValueError:
        pass
    if BEGINNING.fullmatch(text):
        return Q(ip__startswith=text.lower())
    return None
