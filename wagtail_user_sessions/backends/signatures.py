"""Signatures of session data, each made or checked once for the same text.

A visitor comes back with the same data, request by request. Only texts are kept
whose signature was good, and none that is long, packed or unpacked; what they hold
is read anew each time.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

from django.core import signing
from django.core.signals import setting_changed

# Characters of a text that is kept, bytes of what it holds, and how many are kept.
LENGTH = 4096
KEPT = 512

# The serialized data, by its signed text and the salt of the signature.
_known: dict[tuple[str, str], bytes] = {}
_lock = Lock()


class _Serialized:
    """The data as it was serialized."""

    def dumps(self, data: bytes) -> bytes:
        return data

    def loads(self, data: bytes) -> bytes:
        return data


# Which Django's stubs want to hold more than bytes.
SERIALIZED: Any = _Serialized


def sign(data: bytes, *, salt: str) -> str:
    """The signed text of serialized data, as ``signing.dumps`` packs it."""
    text = signing.dumps(data, salt=salt, serializer=SERIALIZED, compress=True)
    _keep(text, salt, data)
    return text


def unsign(text: str, *, salt: str) -> bytes:
    """The serialized data of a signed text; raises as ``signing.loads`` does."""
    known = _known.get((text, salt))
    if known is not None:
        return known
    data: bytes = signing.loads(text, salt=salt, serializer=SERIALIZED)
    _keep(text, salt, data)
    return data


def _keep(text: str, salt: str, data: bytes) -> None:
    # A short text may unpack to megabytes.
    if len(text) > LENGTH or len(data) > LENGTH:
        return
    with _lock:
        if len(_known) >= KEPT:
            # The oldest.
            del _known[next(iter(_known))]
        _known[text, salt] = data


def forget(**_: object) -> None:
    """A secret may have changed."""
    with _lock:
        _known.clear()


setting_changed.connect(forget, dispatch_uid=__name__)
