"""All workers of a run. They start a few at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import product

from .process import Worker
from .variants import Variant

AT_ONCE = 2


@contextmanager
def crew(
    variants: Sequence[Variant], databases: Sequence[str], *, only: str
) -> Iterator[list[Worker]]:
    """Start the workers, and stop them after the block; some may miss a package."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-"))
        pool = stack.enter_context(ThreadPoolExecutor(AT_ONCE))

        def start(pair: tuple[Variant, str]) -> Worker:
            variant, database = pair
            worker = Worker(variant, database=database, folder=folder, only=only)
            stack.callback(worker.stop)
            return worker

        yield list(pool.map(start, product(variants, databases)))
