"""Check of the accessor of a user's sessions, ``user.session_set``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, register
from django.db import models

from wagtail_user_sessions.models import Session

from .messages import TAG, error


@register(TAG)
def check_accessor(**kwargs: Any) -> list[CheckMessage]:
    user_model = get_user_model()
    relation: Any = Session._meta.get_field("user").remote_field
    name = relation.get_accessor_name()
    message = "{} clashes with {}.{}, by which a user's sessions are reached."
    hint = f'Rename it. Of a foreign key, set a related_name other than "{name}".'
    return [
        error(7, message.format(rival, user_model.__name__, name), hint=hint)
        for rival in (
            *_relations(user_model, relation, name=name),
            *_attributes(user_model, name=name),
        )
    ]


def _relations(
    user_model: type[models.Model], relation: Any, *, name: str
) -> Iterator[str]:
    for other in user_model._meta.related_objects:
        if other != relation and other.get_accessor_name() == name:
            yield f"{other.related_model._meta.label}.{other.field.name}"


def _attributes(user_model: type[models.Model], *, name: str) -> Iterator[str]:
    """Yield the user's classes with an attribute that the relation hides, or that
    hides the relation.
    """
    for cls in user_model.__mro__:
        # Descriptors with ``rel`` are relations: ours, or one of _relations().
        if name in vars(cls) and not hasattr(vars(cls)[name], "rel"):
            yield f"The attribute {name} of {cls.__module__}.{cls.__qualname__}"
