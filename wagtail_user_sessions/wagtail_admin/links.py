"""URLs and permissions of the viewset of sessions, once it is registered."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.base_user import AbstractBaseUser
from django.urls import reverse
from django.utils.http import urlencode
from wagtail.snippets.views.snippets import SnippetViewSet

from wagtail_user_sessions.backends.engine import get_session_model


def session_viewset() -> SnippetViewSet:
    return cast(Any, get_session_model()).snippet_viewset


def url_of(name: str, *args: object, **query: object) -> str:
    """Return the URL of one of the viewset's views, with a query string."""
    url = reverse(session_viewset().get_url_name(name), args=args)
    return (
        f"{url}?{urlencode({key: str(query[key]) for key in query})}" if query else url
    )


def has_permission(user: AbstractBaseUser, action: str) -> bool:
    policy = session_viewset().permission_policy
    return bool(policy.user_has_permission(user, action))
