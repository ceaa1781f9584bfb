"""Text that came from a client or a database of places, made fit to store."""

from __future__ import annotations


def sanitize(text: str, *, limit: int) -> str:
    """At most ``limit`` printable characters of the text.

    Cut before anything else looks at it, so that a header of any length costs
    the same. NUL, which PostgreSQL refuses, control characters and lone
    surrogates, which no encoding takes, are left out.
    """
    text = text[:limit]
    if not text.isprintable():
        text = "".join(c for c in text if c.isprintable())
    return text.strip()
