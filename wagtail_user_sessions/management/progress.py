from __future__ import annotations

from collections.abc import Iterable

from django.core.management.base import OutputWrapper

WIDTH = 40


class Progress:
    """A bar on a terminal; nothing where the output goes anywhere else."""

    def __init__(self, output: OutputWrapper, *, total: int) -> None:
        self.output = output
        self.total = total

    def follow(self, batches: Iterable[int]) -> int:
        """Draw the bar while the batches are worked off; returns their sum."""
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
        # Sessions may expire while the others are deleted.
        total = max(self.total, done, 1)
        bar = "#" * (WIDTH * done // total)
        text = f"\r[{bar:<{WIDTH}}] {done}/{total}"
        # Not in the style of the output, which is red where it is for errors.
        self.output.write(text, style_func=str, ending="")
        self.output.flush()
