from __future__ import annotations

from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from wagtail_user_sessions.backends.db import SessionStore
from wagtail_user_sessions.management.progress import Progress


class Command(BaseCommand):
    help = "Deletes expired sessions, a batch at a time. Can be run as a cron job."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Only tell how many sessions have expired.",
        )

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        engine = import_module(settings.SESSION_ENGINE).SessionStore
        if not issubclass(engine, SessionStore):
            raise CommandError(
                _("SESSION_ENGINE is %(engine)s, which has no rows of this package.")
                % {"engine": settings.SESSION_ENGINE}
            )
        total = engine.get_expired().count()
        if dry_run:
            message = ngettext(
                "%(count)d session has expired. Nothing was deleted.",
                "%(count)d sessions have expired. Nothing was deleted.",
                total,
            )
            self.stdout.write(message % {"count": total})
            return
        deleted = Progress(self.stderr, total=total).follow(
            engine.clear_expired_in_batches()
        )
        message = ngettext(
            "%(count)d expired session was deleted.",
            "%(count)d expired sessions were deleted.",
            deleted,
        )
        self.stdout.write(message % {"count": deleted})
