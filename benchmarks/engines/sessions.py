"""The sessions of a user, by the package that keeps them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import QuerySet

from .browser import AGENTS, Browser
from .settings import VARIANT
from .variants import ALLAUTH, OURS


def fill(user: User, *, count: int) -> Browser:
    """Sign in from so many browsers; return the last."""
    for number in range(count):
        ip = f"203.0.113.{number % 254 + 1}"
        browser = Browser(agent=AGENTS[number % len(AGENTS)], ip=ip)
        browser.sign_in(user)
    return browser


def rows(user: User) -> list[QuerySet[Any]]:
    """Return the user's rows, a query set for each table with sessions."""
    if VARIANT.package != ALLAUTH:
        return [_session_set(user).all()]
    sessions = import_module("django.contrib.sessions.models").Session.objects
    keys = list(_tracked(user).values_list("session_key", flat=True))
    return [sessions.filter(pk__in=keys), _tracked(user)]


def end_all(user: User) -> None:
    """End the sessions in the way that the package documents."""
    if VARIANT.package == ALLAUTH:
        for session in _tracked(user):
            session.end()
    elif VARIANT.package == OURS:
        _session_set(user).all().revoke()
    else:
        _session_set(user).all().delete()


def delete_barely(user: User) -> None:
    """Delete only the rows, without signals or related rows."""
    table = connection.ops.quote_name(_session_set(user).model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE user_id = %s", [user.pk])


def end(session_key: str) -> None:
    import_module(settings.SESSION_ENGINE).SessionStore().delete(session_key)


def _session_set(user: Any) -> Any:
    return user.session_set


def _tracked(user: User) -> QuerySet[Any]:
    model = import_module("allauth.usersessions.models").UserSession
    tracked: QuerySet[Any] = model.objects.filter(user=user)
    return tracked
