"""Permissions to see sessions and to sign them out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import models, router
from django.http import HttpRequest, HttpResponse
from django.views.defaults import permission_denied
from wagtail.permission_policies import BasePermissionPolicy, ModelPermissionPolicy

from wagtail_user_sessions.backends.engine import get_session_model
from wagtail_user_sessions.sessions.base import AbstractSession, SessionQuerySet

ACTIONS = frozenset({"view", "delete"})


class SessionPermissionPolicy(ModelPermissionPolicy):
    """Lets users with the permission view and delete sessions.

    Only superusers may see or delete sessions of superusers. No user may add or change
    a session.
    """

    def user_has_permission(self, user: AbstractBaseUser, action: str) -> bool:
        if action not in ACTIONS:
            return False
        # A user who may delete sessions has to see them.
        has_permission = super().user_has_permission
        granting = ACTIONS if action == "view" else {action}
        return any(has_permission(user, name) for name in granting)

    def users_with_any_permission(self, actions: Iterable[str]) -> models.QuerySet[Any]:
        granting = ACTIONS if "view" in actions else ACTIONS.intersection(actions)
        if not granting:
            return get_user_model()._base_manager.none()
        users: models.QuerySet[Any] = super().users_with_any_permission(granting)
        return users

    def user_has_permission_for_instance(
        self, user: AbstractBaseUser, action: str, instance: AbstractSession
    ) -> bool:
        return self.user_has_permission(user, action) and may_manage(
            user, instance.user
        )

    def instances_user_has_any_permission_for(
        self, user: AbstractBaseUser, actions: Iterable[str]
    ) -> SessionQuerySet:
        rows = visible_to(user)
        return rows if self.user_has_any_permission(user, actions) else rows.none()


def register_permission_policies() -> None:
    """Register the policy before Wagtail looks for one, and makes its default."""
    for model in apps.get_models():
        if issubclass(model, AbstractSession):
            register_permission_policy(model, SessionPermissionPolicy(model))


def all_rows() -> SessionQuerySet:
    """Return all sessions, from the primary: a replica may still have deleted rows."""
    model = get_session_model()
    return model.rows(router.db_for_write(model)).without_marker()


def visible_to(user: AbstractBaseUser) -> SessionQuerySet:
    """Return the rows that the user may manage: visitors' and manageable users'."""
    rows = all_rows()
    if is_superuser(user):
        return rows
    owner = get_user_model()._base_manager.filter(pk=models.OuterRef("user"))
    # EXISTS runs only for the rows that the other conditions leave; a list of users
    # would be compared with every row.
    return rows.filter(~models.Exists(owner.filter(is_superuser=True)))


def manageable_users(user: AbstractBaseUser) -> models.QuerySet[Any]:
    users = get_user_model()._base_manager.all()
    return users if is_superuser(user) else users.filter(is_superuser=False)


def may_manage(user: AbstractBaseUser, owner: AbstractBaseUser | None) -> bool:
    return owner is None or is_superuser(user) or not is_superuser(owner)


def is_superuser(user: AbstractBaseUser) -> bool:
    return bool(getattr(user, "is_superuser", False))


def request_user(request: HttpRequest) -> AbstractBaseUser:
    """Return the user of a request in Wagtail's admin.

    It is an anonymous one, without permissions, for a request that no middleware has
    seen: hooks are called with such requests, too.
    """
    user = getattr(request, "user", None) or AnonymousUser()
    return cast(AbstractBaseUser, user)


class ForbiddenResponseMixin:
    """Answers 403 to a user without the permission.

    Wagtail would redirect to its home page instead, as if the URL were of use.
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        except PermissionDenied as error:
            return permission_denied(request, error)
        return response


try:
    from wagtail.permissions import register_permission_policy as _register
except ImportError:
    # Wagtail 7.4 has no registry of policies: it asks the model's viewset.
    _register = None


def register_permission_policy(
    model: type[models.Model], policy: BasePermissionPolicy
) -> None:
    if _register is not None:
        _register(model, policy, exact_class=True)
