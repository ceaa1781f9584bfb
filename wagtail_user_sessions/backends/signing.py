"""Signatures of session data, each made or checked once for the same text.

A visitor comes back with the same data, request by request. Only texts are kept
whose signature is good, and none that is long, packed or unpacked; what they hold
is read anew each time.
"""

from __future__ import annotations

from typing import Any

from django.core import signing
from django.core.signals import setting_changed

# Characters of a text that is kept, bytes of what it holds, and how many are kept.
LENGTH = 4096
KEPT = 512

# The serialized data, by its signed text and the salt of the signature.
_known: dict[tuple[str, str], bytes] = {}


class _Serialized:
    """The data as it was serialized."""

    def loads(self, data: bytes) -> bytes:
        return data


def unsign(text: str, *, salt: str) -> bytes:
    """The serialized data of a signed text; raises as ``signing.loads`` does."""
    known = _known.get((text, salt))
    if known is not None:
        return known
    serializer: Any = _Serialized
    data: bytes = signing.loads(text, salt=salt, serializer=serializer)
    add(text, data, salt=salt)
    return data


def add(text: str, data: bytes, *, salt: str) -> None:
    """The text is that data, signed: by this process, or with a good signature."""
    # A short text may unpack to megabytes.
    if len(text) > LENGTH or len(data) > LENGTH:
        return
    if len(_known) >= KEPT:
        # Without an order, and so without a lock: each text is then checked once more.
        _known.clear()
    _known[text, salt] = bytes(data)


def clear(**_: object) -> None:
    """A secret may have changed."""
    _known.clear()


setting_changed.connect(clear, dispatch_uid=__name__)
