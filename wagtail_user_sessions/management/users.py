"""Users as they are named on a command line."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.management.base import CommandError
from django.db import models, router
from django.utils.translation import gettext as _


def find_users(names: str | Iterable[str]) -> list[AbstractBaseUser]:
    """The users of these usernames (or whatever they sign in with) or ids.

    A ``CommandError`` where one is nobody's, or may be meant for two.
    """
    if isinstance(names, str):
        # ``call_command()`` lets one name stand for a list of them, and its
        # letters must not count as users.
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
        # As in signing in: a site may tell no upper from lower case.
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
    """A ``CommandError`` where the site's users have no column for that."""
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
