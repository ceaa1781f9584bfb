"""Signatures of session data, each checked once for the same text.

A visitor comes back with the same data, request by request. Only texts are kept
whose signature was good, and none that is long; what they hold is unpacked and read
anew each time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.core.signals import setting_changed
from django.core.signing import TimestampSigner

# Characters of a text that is kept, and how many of them are.
LENGTH = 4096
KEPT = 512


class _Serialized:
    """The data as it was serialized."""

    def loads(self, data: bytes) -> bytes:
        return data


class _Signer(TimestampSigner):
    def unsign(self, value: str, max_age: Any = None) -> str:
        if max_age is None and len(value) <= LENGTH:
            return _unsign_once(value, self.salt)
        return super().unsign(value, max_age)


@lru_cache(maxsize=KEPT)
def _unsign_once(text: str, salt: str) -> str:
    return TimestampSigner(salt=salt).unsign(text)


def unsign(text: str, *, salt: str) -> bytes:
    """The serialized data of a signed text; raises as ``signing.loads`` does."""
    serializer: Any = _Serialized
    data: bytes = _Signer(salt=salt).unsign_object(text, serializer=serializer)
    return data


def forget(**_: object) -> None:
    """A secret may have changed."""
    _unsign_once.cache_clear()


setting_changed.connect(forget, dispatch_uid=__name__)
