"""The figures of a run, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from .run import Result


def violations(result: Result) -> int:
    """Return the number of answers that admitted an ended session, or a wrong one."""
    return _sum(result, "violation: ")


def is_broken(result: Result) -> bool:
    """Return whether a count that must be 0 isn't."""
    return bool(
        violations(result)
        or lost_changes(result)
        or result.counts["limit passed"]
        or result.counts["redirected twice"]
    )


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
        "… from a visitor's session": counts["sign-ins of visitors"],
        "visitors' sessions": counts["visitors"],
        "… attempts admitted": counts["attempts"],
        "… attempts refused": counts["attempts refused"],
        "changes acknowledged": counts["changes"],
        "comparisons": counts["comparisons"],
        "workers killed": result.kills,
        "cache restarted": result.restarts,
        "cache restored from a snapshot": result.restores,
        "cache silent": result.silences,
        "connections reset": counts["connections reset"],
        "5xx answers": _sum(result, "answers 5"),
        "visitors' pages that showed an older state": counts["stale pages"],
        "… a session within CACHE_MAX_AGE of its end": counts["excused"],
        "refused after the end": counts["refused after the end"],
        "ADMITTED AFTER THE END (must be 0)": violations(result),
        "LOST CHANGES (must be 0)": lost_changes(result),
        "LIMIT PASSED (must be 0)": counts["limit passed"],
        "REDIRECTED TWICE IN A ROW (must be 0)": counts["redirected twice"],
    }


def _sum(result: Result, prefix: str) -> int:
    found = (n for name, n in result.counts.items() if name.startswith(prefix))
    return sum(found)
