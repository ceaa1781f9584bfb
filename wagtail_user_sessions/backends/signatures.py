"""Signatures of session data, each checked once for the same text.

A visitor comes back with the same data, request by request. Only texts are kept
whose signature was good, and none that is long; what they hold is read anew each
time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.core import signing
from django.core.signals import setting_changed

# Characters of a text that is kept, and how many of them are.
LENGTH = 4096
KEPT = 512


class _Serialized:
    """The data as it was serialized."""

    def loads(self, data: bytes) -> bytes:
        return data


def unsign(text: str, *, salt: str) -> bytes:
    """The serialized data of a signed text; raises as ``signing.loads`` does."""
    return (_unsign_once if len(text) <= LENGTH else _unsign)(text, salt)


def _unsign(text: str, salt: str) -> bytes:
    serializer: Any = _Serialized
    data: bytes = signing.loads(text, salt=salt, serializer=serializer)
    return data


_unsign_once = lru_cache(maxsize=KEPT)(_unsign)


def forget(**_: object) -> None:
    """A secret may have changed."""
    _unsign_once.cache_clear()


setting_changed.connect(forget, dispatch_uid=__name__)
