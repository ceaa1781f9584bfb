"""What Wagtail's admin is told of; it looks for this module by its name."""

from __future__ import annotations

from django.apps import apps
from wagtail import hooks
from wagtail.snippets.models import register_snippet

from .wagtail_admin import account, log_actions, summary, users
from .wagtail_admin.bulk_actions import RevokeBulkAction
from .wagtail_admin.permissions import register_permission_policies
from .wagtail_admin.viewsets import SessionViewSet

hooks.register("register_log_actions", log_actions.register)
hooks.register("register_admin_urls", account.admin_urls)
hooks.register("register_account_menu_item", account.menu_item)

if apps.is_installed("wagtail.snippets"):
    # Wagtail may ask for this module before the app is ready.
    register_permission_policies()
    register_snippet(SessionViewSet)
    # After Wagtail's own deletion of snippets, whose name it takes.
    hooks.register("register_bulk_action", RevokeBulkAction, order=100)
    hooks.register("register_user_listing_buttons", users.listing_buttons)
    hooks.register("before_edit_user", users.tell_of_sessions)
    hooks.register("construct_homepage_summary_items", summary.add_item)
