"""Text from a client or a database of places, made safe to store."""

from __future__ import annotations


def sanitize(text: str, *, limit: int) -> str:
    """Return at most ``limit`` printable characters of the text.

    The text is cut first, so that a header of any length costs the same. Left out are
    control characters, NUL among them, which PostgreSQL rejects, and lone surrogates,
    which can't be encoded.
    """
    text = text[:limit]
    if not text.isprintable():
        text = "".join(c for c in text if c.isprintable())
    return text.strip()
