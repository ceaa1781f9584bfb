"""Users that are named on a command line."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.management.base import CommandError
from django.db import models, router
from django.utils.translation import gettext as _


def find_users(names: str | Iterable[str]) -> list[AbstractBaseUser]:
    """Return the users with these usernames (``USERNAME_FIELD``) or ids.

    Raise ``CommandError`` for a name that matches no user, or two users.
    """
    if isinstance(names, str):
        # ``call_command()`` accepts one name for a list of names: iterating over it
        # would take each letter for a user.
        names = [names]
    return [_find_user(str(name)) for name in names]


def _find_user(name: str) -> AbstractBaseUser:
    found = {user.pk: user for user in (*_by_username(name), *_by_id(name))}
    if not found:
        raise CommandError(_("There is no user %(name)r.") % {"name": name})
    if len(found) > 1:
        raise CommandError(
            _("%(name)r is the username of one user and the id of another.")
            % {"name": name}
        )
    return next(iter(found.values()))


def _by_username(name: str) -> list[AbstractBaseUser]:
    model = get_user_model()
    users = model._default_manager.db_manager(router.db_for_write(model))
    try:
        # The same look-up as a sign-in: a site's can ignore upper and lower case.
        return [users.get_by_natural_key(name)]
    except model.DoesNotExist:
        return []


def _by_id(name: str) -> list[AbstractBaseUser]:
    model = get_user_model()
    try:
        pk = model._meta.pk.to_python(name)
    except ValidationError:
        return []
    users = model._base_manager.using(router.db_for_write(model))
    return list(users.filter(pk=pk))


def superusers() -> models.QuerySet[AbstractBaseUser]:
    """Return all superusers; raise ``CommandError`` if the user model has no column
    ``is_superuser``.
    """
    model = get_user_model()
    try:
        model._meta.get_field("is_superuser")
    except FieldDoesNotExist as error:
        raise CommandError(
            _("%(model)s has no field is_superuser.") % {"model": model._meta.label}
        ) from error
    return model._base_manager.using(router.db_for_write(model)).filter(
        is_superuser=True
    )
