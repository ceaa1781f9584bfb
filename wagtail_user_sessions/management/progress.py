from __future__ import annotations

from collections.abc import Iterable

from django.core.management.base import OutputWrapper

WIDTH = 40


class Progress:
    """A progress bar on a terminal; no output if it goes anywhere else."""

    def __init__(self, output: OutputWrapper, *, total: int) -> None:
        self.output = output
        self.total = total

    def follow(self, batches: Iterable[int]) -> int:
        """Draw the bar while the batches are done; return the sum of their counts."""
        done = 0
        is_terminal = self.output.isatty()
        for count in batches:
            done += count
            if is_terminal:
                self._draw(done)
        if is_terminal and done:
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
