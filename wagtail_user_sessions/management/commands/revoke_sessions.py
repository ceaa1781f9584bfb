from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import models, router
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from wagtail_user_sessions.backends.db import SessionStore
from wagtail_user_sessions.management.age import time_before
from wagtail_user_sessions.management.console import CACHE_FAILED, ConsoleCommand
from wagtail_user_sessions.management.engine import require_engine
from wagtail_user_sessions.management.progress import Progress
from wagtail_user_sessions.management.users import find_users, superusers
from wagtail_user_sessions.sessions.base import SessionQuerySet
from wagtail_user_sessions.sessions.mass_deletion import MassRevocation
from wagtail_user_sessions.sessions.reasons import cache_failure_text


class Command(ConsoleCommand):
    help = "Ends sessions, of the users named or of everybody: they are signed out."

    def add_arguments(self, parser: CommandParser) -> None:
        selection = parser.add_mutually_exclusive_group(required=True)
        selection.add_argument(
            "--user",
            action="extend",
            nargs="+",
            help="The username (or what else the user signs in with) or the id.",
        )
        selection.add_argument(
            "--all",
            action="store_true",
            help="Everybody's sessions, those of visitors included.",
        )
        parser.add_argument(
            "--except-superusers",
            action="store_true",
            help="With --all: leave the sessions of superusers alone.",
        )
        parser.add_argument(
            "--older-than",
            metavar="AGE",
            help="Only sessions signed in to longer ago, such as 90m, 12h, 30d, 4w.",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Only report how many sessions would be ended.",
        )

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        engine = require_engine()
        rows = _select_rows(engine, options)
        if dry_run:
            self._write_selected(rows.count())
        elif options["all"]:
            is_of_everybody = _is_of_everybody(options)
            marker = engine().create_model_instance({}) if is_of_everybody else None
            revocation = MassRevocation(rows, marker=marker)
            progress = Progress.of(self, total=rows.count())
            count = progress.follow(revocation)
            self._write_ended(count, cache_failed=revocation.cache_failed)
        else:
            revoked = rows.revoke()
            self._write_ended(revoked, cache_failed=revoked.cache_failed)

    def _write_selected(self, count: int) -> None:
        message = ngettext(
            "%(count)d session would be ended. Nothing was changed.",
            "%(count)d sessions would be ended. Nothing was changed.",
            count,
        )
        self.report(message % {"count": count})

    def _write_ended(self, count: int, *, cache_failed: bool) -> None:
        message = ngettext(
            "%(count)d session was ended.", "%(count)d sessions were ended.", count
        )
        self.report(message % {"count": count})
        if cache_failed:
            # The sessions have ended nevertheless.
            raise CommandError(cache_failure_text(), returncode=CACHE_FAILED)


def _select_rows(
    engine: type[SessionStore], options: dict[str, Any]
) -> SessionQuerySet:
    model = engine.get_model_class()
    rows = SessionQuerySet(model, using=router.db_for_write(model))
    if options["user"] is not None:
        if options["except_superusers"]:
            raise CommandError(_("--except-superusers needs --all."))
        ids = [user.pk for user in find_users(options["user"])]
        rows = rows.filter(user__in=ids)
    elif options["except_superusers"]:
        rows = rows.exclude(user__in=superusers())
    if options["older_than"] is not None:
        rows = rows.filter(_is_older(options["older_than"]))
    return rows.without_marker()


def _is_of_everybody(options: dict[str, Any]) -> bool:
    is_narrower = options["except_superusers"] or options["older_than"] is not None
    return options["all"] and not is_narrower


def _is_older(age: str) -> models.Q:
    cutoff = time_before(age)
    anonymous = models.Q(signed_in_at=None, created_at__lt=cutoff)
    return models.Q(signed_in_at__lt=cutoff) | anonymous
