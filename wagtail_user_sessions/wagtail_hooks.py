"""Hooks of Wagtail, which imports this module by its name."""

from __future__ import annotations

from django.apps import apps
from wagtail import hooks
from wagtail.snippets.models import register_snippet

from .wagtail_admin import log_actions, site_summary, user_pages
from .wagtail_admin.permission_policies import register_permission_policies
from .wagtail_admin.views import account
from .wagtail_admin.views.bulk_revoke import RevokeBulkAction
from .wagtail_admin.viewsets import SessionViewSet

hooks.register("register_log_actions", log_actions.register)
hooks.register("register_admin_urls", account.admin_urls)
hooks.register("register_account_menu_item", account.menu_item)

if apps.is_installed("wagtail.snippets"):
    # Here as well as in `ready()`: Wagtail may import this module earlier.
    register_permission_policies()
    register_snippet(SessionViewSet)
    # Of two actions with the same name Wagtail keeps the later one: this replaces
    # its own deletion of snippets.
    hooks.register("register_bulk_action", RevokeBulkAction, order=100)
    hooks.register("register_user_listing_buttons", user_pages.listing_buttons)
    hooks.register("before_edit_user", user_pages.show_session_count)
    hooks.register("construct_homepage_summary_items", site_summary.add_item)
