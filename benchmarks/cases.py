"""The measured requests: whole pages of the admin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from wagtail_user_sessions.models import Session
from wagtail_user_sessions.wagtail_admin.status import Status

from . import data

NAMESPACE = "wagtailsnippets_wagtail_user_sessions_session"
SORTED_BY = ("user", "ip", "last_activity", "signed_in_at", "expire_date")


@dataclass(frozen=True, kw_only=True)
class Case:
    name: str
    path: str
    # Whether the documentation promises a time below the bound.
    is_promised: bool = False


def cases() -> Iterator[Case]:
    yield _listed("first page")
    yield _listed("last page", p=999_999_999)
    yield from _filters()
    yield from _searches()
    yield from _orders()
    yield from _other_pages()


def _listed(name: str, *, is_promised: bool = True, **query: Any) -> Case:
    path = reverse(f"{NAMESPACE}:list")
    return Case(name=name, path=f"{path}?{urlencode(query)}", is_promised=is_promised)


def _filters() -> Iterator[Case]:
    for status in (*Status.values, ""):
        yield _listed(f"filter: status {status or 'any'}", status=status)
    busy, quiet = _users()
    yield _listed("filter: user with the most sessions", user=busy)
    yield _listed("filter: user with few sessions", user=quiet)
    for kind in ("desktop", "tablet", "bot"):
        yield _listed(f"filter: kind {kind}", device_kind=kind)
    for name, common, rare in (
        ("browser", data.COMMON_BROWSER, data.RARE_BROWSER),
        ("os", data.COMMON_SYSTEM, data.RARE_SYSTEM),
        ("country", data.COMMON_COUNTRY, data.RARE_COUNTRY),
    ):
        yield _listed(f"filter: {name}, common", **_query(name, common))
        yield _listed(f"filter: {name}, rare", **_query(name, rare))
        yield _listed(f"filter: {name}, none", **_query(name, "??"))
    for column in ("signed_in_at", "last_activity"):
        yield _ranged(column, "the last 7 days", 7, 0)
        yield _ranged(column, "a day 60 days ago", 60, 60)
        yield _ranged(column, "a year ago", 400, 365)
    yield _listed(
        "filter: several, rare",
        country=data.COMMON_COUNTRY,
        browser=data.RARE_BROWSER,
        device_kind="desktop",
    )
    yield _listed(
        "filter: status any, country rare", status="", country=data.RARE_COUNTRY
    )


def _query(name: str, value: str) -> dict[str, Any]:
    return {name: value}


def _ranged(column: str, name: str, first: int, last: int) -> Case:
    """Return a case of a range of dates; ``first`` and ``last`` are days ago."""
    today = timezone.localdate()
    query: dict[str, Any] = {
        f"{column}_from": today - timedelta(days=first),
        f"{column}_to": today - timedelta(days=last),
    }
    return _listed(f"filter: {column}, {name}", **query)


def _searches() -> Iterator[Case]:
    ip = Session.objects.exclude(ip=None).order_by("pk").values_list("ip", flat=True)
    for name, text in (
        ("part of many names", data.COMMON_NAME),
        ("part of one name", data.RARE_NAME[:8].lower()),
        ("two words", f"{data.FIRST_NAMES[0]} {data.LAST_NAMES[0]}"),
        ("nobody's name", "nobodyhasthisname"),
        ("mail address", f"{data.RARE_NAME.lower()}@example"),
        ("part of all mail addresses", "@example"),
        ("IP address", ip[0]),
        ("IP address that isn't there", "203.0.113.77"),
        ("beginning of many addresses", data.COMMON_IP),
        ("beginning of few addresses", data.RARE_IP),
    ):
        yield _listed(f"search: {name}", q=text)
    yield _listed("search, status any: part of one name", q="quillfe", status="")
    yield _listed("search, status any: nobody's name", q="nobodyhasthis", status="")
    yield _listed("search, status any: few addresses", q=data.RARE_IP, status="")


def _orders() -> Iterator[Case]:
    for column in SORTED_BY:
        for sign, direction in (("", "up"), ("-", "down")):
            yield _listed(
                f"sorted by {column}, {direction}",
                ordering=f"{sign}{column}",
                is_promised=False,
            )


def _other_pages() -> Iterator[Case]:
    yield Case(name="the admin's home page", path=reverse("wagtailadmin_home"))
    rows = Session.objects.filter(user__is_superuser=False).order_by("pk")
    row = rows.values_list("pk", flat=True)[0]
    yield Case(
        name="inspect a session", path=reverse(f"{NAMESPACE}:inspect", args=[row])
    )
    yield Case(name="list of users", path=reverse("wagtailusers_users:index"))
    bulk = reverse(
        "wagtail_bulk_action", args=["wagtail_user_sessions", "session", "delete"]
    )
    ids = rows.active().values_list("pk", flat=True)[:20]
    for name, query in (
        ("sign out 20: the question", [("id", pk) for pk in ids]),
        (
            "sign out all of a rare browser: the question",
            [("id", "all"), ("browser", data.RARE_BROWSER)],
        ),
        ("sign out all active: the question", [("id", "all")]),
    ):
        yield Case(name=name, path=f"{bulk}?{urlencode(query)}")


def _users() -> tuple[int, int]:
    """Return a user with the most sessions, and one with few; no superusers."""
    people = get_user_model().objects.filter(is_superuser=False, is_active=True)
    pks = people.exclude(username__startswith="benchmark").order_by("pk")
    return pks.values_list("pk", flat=True)[0], pks.latest("pk").pk


def superuser() -> Client:
    user, _ = get_user_model().objects.get_or_create(
        username="benchmark-superuser", is_superuser=True
    )
    return _signed_in(user)


def manager() -> Client:
    """Return the client of a user who may see and end sessions, and see users."""
    user, _ = get_user_model().objects.get_or_create(username="benchmark-manager")
    group, _ = Group.objects.get_or_create(name="Managers of sessions")
    codenames = ("view_session", "delete_session", "access_admin", "change_user")
    group.permissions.set(Permission.objects.filter(codename__in=codenames))
    user.groups.add(group)
    return _signed_in(user)


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def request(client: Client, path: str) -> bytes:
    """Return the whole page."""
    response = client.get(path)
    if response.status_code != 200:
        raise RuntimeError(f"{path}: {response.status_code}")
    content: bytes = response.content
    return content
