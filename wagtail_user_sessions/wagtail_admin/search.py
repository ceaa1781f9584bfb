"""Search for sessions by their user's name or mail address, or by an IP address."""

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
# More users than this are a subquery, not a list of primary keys.
MAX_USER_IDS = 1000
NAMES = ("first_name", "last_name")


def search(rows: SessionQuerySet, text: str) -> SessionQuerySet:
    """Return the rows whose user has each word in a name or the mail address, or
    whose IP address is, or begins with, the text.
    """
    text = text.strip()
    if (whole := _whole_address(text)) is not None:
        return rows.filter(ip=whole)
    address = _beginning_of_address(rows, text)
    users = _users(text)
    ids = list(users.values_list("pk", flat=True)[: MAX_USER_IDS + 1])
    if len(ids) <= MAX_USER_IDS:
        # An index finds the sessions of a list of users.
        by_user = Q(user__in=ids)
        return rows.filter(by_user if address is None else by_user | address)
    # So many users match that reading the sessions from the newest on is faster. A
    # subquery alone would become a join on PostgreSQL; the second condition, even if
    # it is always false, prevents that.
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


def _beginning_of_address(rows: SessionQuerySet, text: str) -> Q | None:
    if not BEGINNING.fullmatch(text):
        return None
    if connections[rows.db].vendor != "postgresql":
        return Q(ip__startswith=text.lower())
    # A comparison of texts would convert each address of the table.
    bounds = _address_range(text)
    return Q(ip__range=bounds) if bounds else None


def _whole_address(text: str) -> str | None:
    """Return the text as an address in the form that is stored, or ``None``.

    No user's name looks like an address.
    """
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _address_range(text: str) -> tuple[str, str] | None:
    """Return the first and the last address that begin with the text."""
    separator, size, last = (".", 4, "255") if "." in text else (":", 8, "ffff")
    parts = text.rstrip(separator).split(separator)
    rest = size - len(parts)
    try:
        lowest, highest = (
            str(ipaddress.ip_address(separator.join([*parts, *[part] * rest])))
            for part in ("0", last)
        )
    except ValueError:
        return None
    return lowest, highest
