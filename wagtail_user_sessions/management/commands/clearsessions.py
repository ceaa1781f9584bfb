from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import ngettext

from wagtail_user_sessions.management.console import ConsoleCommand
from wagtail_user_sessions.management.engine import require_engine
from wagtail_user_sessions.management.progress import Progress


class Command(ConsoleCommand):
    help = "Deletes expired sessions, a batch at a time. Can be run as a cron job."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Only report how many sessions have expired.",
        )

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        engine = require_engine()
        total = engine.get_expired().count()
        if dry_run:
            self._write_expired(total)
        else:
            progress = Progress.of(self, total=total)
            self._write_deleted(progress.follow(engine.clear_expired_in_batches()))

    def _write_expired(self, count: int) -> None:
        message = ngettext(
            "%(count)d session has expired. Nothing was deleted.",
            "%(count)d sessions have expired. Nothing was deleted.",
            count,
        )
        self.report(message % {"count": count})

    def _write_deleted(self, count: int) -> None:
        message = ngettext(
            "%(count)d expired session was deleted.",
            "%(count)d expired sessions were deleted.",
            count,
        )
        self.report(message % {"count": count})
