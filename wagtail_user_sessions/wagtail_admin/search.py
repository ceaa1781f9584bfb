"""Sessions found by the name or mail address of their user, or by an IP address."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections, models
from django.db.models import Q

from wagtail_user_sessions.sessions.base import SessionQuerySet

# The beginning of an address by whole parts, such as "192.0.2." and "2001:db8:".
BEGINNING = re.compile(r"[0-9a-f]{1,4}([.:][0-9a-f.:]*)", re.IGNORECASE)
MAX_WORDS = 10
FEW = 1000
NAMES = ("first_name", "last_name")


def search(rows: SessionQuerySet, text: str) -> SessionQuerySet:
    """The rows whose user has all the words in a name or the mail address, or
    whose IP address is, or begins with, the text.
    """
    text = text.strip()
    if (whole := _whole(text)) is not None:
        return rows.filter(ip=whole)
    address = _beginning(rows, text)
    users = _users(text)
    few = list(users.values_list("pk", flat=True)[: FEW + 1])
    if len(few) <= FEW:
        # Their sessions are found by an index.
        by_user = Q(user__in=few)
        return rows.filter(by_user if address is None else by_user | address)
    # The newest sessions are gone through. PostgreSQL would make a join of it, if
    # there were nothing else beside it.
    return rows.filter(Q(user__in=users) | (address or Q(pk=None)))


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


def _beginning(rows: SessionQuerySet, text: str) -> Q | None:
    if not BEGINNING.fullmatch(text):
        return None
    if connections[rows.db].vendor != "postgresql":
        return Q(ip__startswith=text.lower())
    # As text, each address of the table would be written out.
    ends = _range(text)
    return Q(ip__range=ends) if ends else None


def _whole(text: str) -> str | None:
    """The address that it is, as it is stored. Nobody has one for a name."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _range(text: str) -> tuple[str, str] | None:
    """The first and the last address that begin so."""
    separator, size, last = (".", 4, "255") if "." in text else (":", 8, "ffff")
    parts = text.rstrip(separator).split(separator)
    rest = size - len(parts)
    try:
        ends = [
            str(ipaddress.ip_address(separator.join([*parts, *[end] * rest])))
            for end in ("0", last)
        ]
    except ValueError:
        return None
    return ends[0], ends[1]
