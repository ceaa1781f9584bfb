"""Signatures of session data, each made or checked once for the same text.

A visitor comes back with the same data, request by request. Only texts with a valid
signature are kept, and none that is long, compressed or not. Their data is
deserialized each time.
"""

from __future__ import annotations

from typing import Any

from django.core import signing
from django.core.signals import setting_changed

# The longest text that is kept, in characters, and its longest data, in bytes.
LENGTH = 4096
# How many texts are kept.
KEPT = 512

# The serialized data, by its signed text and the salt of the signature.
_known: dict[tuple[str, str], bytes] = {}


class _Serialized:
    """A serializer that leaves the data serialized."""

    def loads(self, data: bytes) -> bytes:
        return data


def unsign(text: str, *, salt: str) -> bytes:
    """Return the serialized data of a signed text; raises as ``signing.loads`` does."""
    known = _known.get((text, salt))
    if known is not None:
        return known
    serializer: Any = _Serialized
    data: bytes = signing.loads(text, salt=salt, serializer=serializer)
    add(text, data, salt=salt)
    return data


def add(text: str, data: bytes, *, salt: str) -> None:
    """Keep the text of the data, which this process has signed or checked."""
    # A short text may unpack to megabytes.
    if len(text) > LENGTH or len(data) > LENGTH:
        return
    if len(_known) >= KEPT:
        # Dropping all needs no order, and so no lock: each is then checked once more.
        _known.clear()
    _known[text, salt] = bytes(data)


def clear(**_: object) -> None:
    """Drop all texts: the secret key may have changed."""
    _known.clear()


setting_changed.connect(clear, dispatch_uid=__name__)
