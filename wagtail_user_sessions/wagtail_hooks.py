"""What Wagtail's admin is told of; it looks for this module by its name."""

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
    # Wagtail may ask for this module before the app is ready.
    register_permission_policies()
    register_snippet(SessionViewSet)
    # After Wagtail's own deletion of snippets, whose name it takes.
    hooks.register("register_bulk_action", RevokeBulkAction, order=100)
    hooks.register("register_user_listing_buttons", user_pages.listing_buttons)
    hooks.register("before_edit_user", user_pages.tell_of_sessions)
    hooks.register("construct_homepage_summary_items", site_summary.add_item)
