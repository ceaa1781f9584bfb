"""The figures of a run, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from .run import Result


def violations(result: Result) -> int:
    """Return the number of answers that admitted an ended session."""
    return _sum(result, "violation: ")


def lost_changes(result: Result) -> int:
    """Return the number of confirmed changes that the session doesn't have."""
    return _sum(result, "lost: ") + result.counts["sessions lost"]


def lines(result: Result) -> Iterator[str]:
    counts = result.counts
    for name, count in figures(result).items():
        yield f"{name:<46}{count:>10,}"
    yield "calls that ended sessions"
    for kind, count in result.end_calls.items():
        yield f"    {kind:<42}{count:>10,}"
    yield "other answers, and what was wrong, in detail"
    for name in sorted(counts):
        if name.startswith(("violation: ", "lost: ", "answers ", "sessions lost")):
            yield f"    {name:<42}{counts[name]:>10,}"


def figures(result: Result) -> dict[str, int]:
    counts = result.counts
    return {
        "requests": counts["requests"],
        "requests a second": round(counts["requests"] / result.seconds),
        "sessions signed in to": counts["sessions"],
        "changes acknowledged": counts["changes"],
        "comparisons": counts["comparisons"],
        "workers killed": result.kills,
        "cache restarted": result.restarts,
        "cache silent": result.silences,
        "connections reset": counts["connections reset"],
        "5xx answers": _sum(result, "answers 5"),
        "pages that showed an older state": counts["stale pages"],
        "refused after the end": counts["refused after the end"],
        "within CACHE_MAX_AGE after a failed cache": counts["excused"],
        "SIGNED IN AFTER THE END (must be 0)": violations(result),
        "LOST CHANGES (must be 0)": lost_changes(result),
    }


def _sum(result: Result, prefix: str) -> int:
    found = (n for name, n in result.counts.items() if name.startswith(prefix))
    return sum(found)
