"""Who else takes part in the deletion of a row."""

from __future__ import annotations

from django.db import models
from django.db.models.signals import post_delete, pre_delete
from django.dispatch import Signal


def has_followers(model: type[models.Model]) -> bool:
    """Whether the site itself listens to deletions, or has rows that go along."""
    has_dependents = any(
        (field.auto_created and not field.concrete)
        or hasattr(field, "bulk_related_objects")
        for field in model._meta.get_fields(include_hidden=True)
    )
    return (
        has_dependents
        or bool(model._meta.parents)
        or has_receivers(pre_delete, model)
        or has_receivers(post_delete, model)
    )


def has_receivers(signal: Signal, model: type[models.Model]) -> bool:
    """Whether anybody but this package listens to the signal."""
    if not signal.has_listeners(model):
        return False
    return any(
        not f"{getattr(receiver, '__module__', '')}.".startswith(f"{__package__}.")
        for receivers in signal._live_receivers(model)
        for receiver in receivers
    )
