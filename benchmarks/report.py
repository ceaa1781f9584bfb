"""The figures as tables of Markdown, and their place in the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from .measuring import Measured

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
END = "<!-- end of the figures -->"


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---", *["---:"] * (len(heading) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cells(measured: Measured | None, *, bound: float | None) -> tuple[str, str]:
    """Median and worst in seconds, marked if the bound is broken; queries."""
    if measured is None:
        return "", ""
    text = f"{measured.median:.2f} ({measured.worst:.2f})"
    is_over = bound is not None and measured.median > bound
    queries = str(measured.queries) if measured.queries else ""
    return (f"**{text}**" if is_over else text), queries


def write(command: str, text: str) -> None:
    """Replace the figures of the command in the page of the documentation."""
    page, begin = PAGE.read_text(), f"<!-- figures of {command} -->"
    before, rest = page.split(begin)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{begin}\n{text}\n{END}{after}")
