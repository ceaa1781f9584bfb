from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from django.core.management.base import OutputWrapper

from .console import ConsoleCommand

WIDTH = 40


class Progress:
    """A progress bar on a terminal; no output if it goes anywhere else."""

    def __init__(
        self, output: OutputWrapper, *, total: int, is_shown: bool = True
    ) -> None:
        self.output = output
        self.total = total
        self.is_shown = is_shown and output.isatty()

    @classmethod
    def of(cls, command: ConsoleCommand, *, total: int) -> Self:
        """Return the bar of a command, on its error output."""
        is_shown = command.verbosity > 0
        return cls(command.stderr, total=total, is_shown=is_shown)

    def follow(self, batches: Iterable[int]) -> int:
        """Draw the bar while the batches are done; return the sum of their counts."""
        done = 0
        for count in batches:
            done += count
            if self.is_shown:
                self._draw(done)
        if self.is_shown and done:
            self.output.write("")
        return done

    def _draw(self, done: int) -> None:
        # More than ``total`` can be deleted: sessions expire meanwhile.
        total = max(self.total, done, 1)
        bar = "#" * (WIDTH * done // total)
        text = f"\r[{bar:<{WIDTH}}] {done}/{total}"
        # The style of ``output`` is red if it is that of errors.
        self.output.write(text, style_func=str, ending="")
        self.output.flush()
