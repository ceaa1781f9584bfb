"""What differs between the releases of Wagtail that are supported."""

from __future__ import annotations

from django.db import models
from wagtail.permission_policies import BasePermissionPolicy

try:
    from wagtail.permissions import register_permission_policy as _register
except ImportError:
    # Wagtail 7.4 asks the viewset for the policy of its model, and nobody else.
    _register = None


def register_permission_policy(
    model: type[models.Model], policy: BasePermissionPolicy
) -> None:
    if _register is not None:
        _register(model, policy, exact_class=True)
