"""Signatures of session data, each checked once for the same text.

A visitor comes back with the same data, request by request. Only texts are kept
whose signature was good, and none that is long, packed or unpacked; what they hold
is read anew each time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.core import signing
from django.core.signals import setting_changed

# Characters of a text that is kept, bytes of what it holds, and how many are kept.
LENGTH = 4096
KEPT = 512


class _Serialized:
    """The data as it was serialized."""

    def loads(self, data: bytes) -> bytes:
        return data


class _LongError(Exception):
    """Carries data past the memory of what was checked."""

    def __init__(self, data: bytes) -> None:
        self.data = data


def unsign(text: str, *, salt: str) -> bytes:
    """The serialized data of a signed text; raises as ``signing.loads`` does."""
    if len(text) > LENGTH:
        return _unsign(text, salt)
    try:
        return _unsign_once(text, salt)
    except _LongError as error:
        return error.data


def _unsign(text: str, salt: str) -> bytes:
    serializer: Any = _Serialized
    data: bytes = signing.loads(text, salt=salt, serializer=serializer)
    return data


@lru_cache(maxsize=KEPT)
def _unsign_once(text: str, salt: str) -> bytes:
    data = _unsign(text, salt)
    if len(data) > LENGTH:
        # A short text may unpack to megabytes.
        raise _LongError(data)
    return data


def forget(**_: object) -> None:
    """A secret may have changed."""
    _unsign_once.cache_clear()


setting_changed.connect(forget, dispatch_uid=__name__)
