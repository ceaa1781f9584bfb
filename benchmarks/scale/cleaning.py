"""The clean-up and the mass sign-out, and their effect on pages at the same time."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from wagtail_user_sessions.models import Session
from wagtail_user_sessions.sessions.mass_deletion import MassRevocation

from . import copies
from .traffic import Traffic


@dataclass(frozen=True, kw_only=True)
class Work:
    rows: int
    # Seconds.
    time: float
    # The longest batch, in seconds; each batch is a transaction.
    batch: float = 0
    # Growth of the process, in megabytes.
    memory: float = 0
    # The slowest page at the same time, in seconds, and the number of pages.
    stall: float | None = None
    pages: int = 0


def single_delete() -> Work:
    """Delete all expired rows by one statement, as Django's clearsessions does."""
    with copies.fresh():
        start = time.perf_counter()
        rows = Session.objects.filter(expire_date__lt=timezone.now())._raw_delete(
            "default"
        )
        return Work(rows=rows, time=time.perf_counter() - start)


def clear(engine: str) -> Work:
    with copies.fresh():
        return _run(_store(engine).clear_expired_in_batches())


def clear_beside_traffic(engine: str) -> Work:
    os.environ["SCALE_ENGINE"] = engine
    with copies.fresh():
        with Traffic() as traffic:
            work = _run(_store(engine).clear_expired_in_batches())
        pages = {"stall": traffic.slowest, "pages": traffic.pages}
        return Work(**{**vars(work), **pages})


def sign_out_everybody(engine: str) -> Work:
    with copies.fresh():
        rows: QuerySet[Any] = Session.objects.filter(user__isnull=False)
        marker = _store(engine)().create_model_instance({})
        return _run(MassRevocation(rows, marker=marker))


def _store(engine: str) -> Any:
    return import_module(f"wagtail_user_sessions.backends.{engine}").SessionStore


def _run(batches: Iterable[int]) -> Work:
    before, total, longest = _memory(), 0, 0.0
    start = last = time.perf_counter()
    for deleted in batches:
        total += deleted
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    return Work(rows=total, time=last - start, batch=longest, memory=_memory() - before)


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
