from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import AppConfig, apps
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_delete, post_save, pre_save
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from .sessions.base import AbstractSession


class WagtailUserSessionsConfig(AppConfig):
    name = "wagtail_user_sessions"
    verbose_name = _("User sessions")

    def ready(self) -> None:
        from . import checks, signal_handlers  # noqa: F401
        from .sessions.base import AbstractSession

        # Connected for each model: a receiver without a sender would make Django read
        # the rows of every deletion on the site.
        models = [
            model for model in apps.get_models() if issubclass(model, AbstractSession)
        ]
        for model in models:
            post_delete.connect(signal_handlers.session_deleted, sender=model)
            for signal in (pre_save, post_save):
                signal.connect(signal_handlers.fixture_loading, sender=model)
        user_logged_in.connect(signal_handlers.user_signed_in)
        user_logged_out.connect(signal_handlers.user_signed_out)
        if apps.is_installed("wagtail.admin"):
            self._prepare_admin(models)

    def _prepare_admin(self, models: list[type[AbstractSession]]) -> None:
        from .sessions.end_events import sessions_ended
        from .wagtail_admin import log_actions
        from .wagtail_admin.permission_policies import register_permission_policies

        register_permission_policies()
        for model in models:
            sessions_ended.connect(log_actions.sessions_ended, sender=model)
