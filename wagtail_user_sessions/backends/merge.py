"""Two requests that changed one session: whose value of which key holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from wagtail_user_sessions.exceptions import SessionRefused

Data = dict[str, Any]
Dumps = Callable[[Data], bytes]

# One indivisible value: who is signed in, through which backend, by which password.
AUTH_KEYS = (SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY)


def auth_values(data: Data) -> tuple[Any, ...]:
    return tuple(data.get(key) for key in AUTH_KEYS)


def merge(base: Data, ours: Data, theirs: Data, *, dumps: Dumps) -> Data:
    """What is to be written over ``theirs`` by whoever made ``ours`` from ``base``.

    Raises ``SessionRefused`` where they signed in, out or changed the password
    meanwhile: two users' data never mix. All data is expected as it was
    deserialized; ``dumps`` serializes it.
    """
    if auth_values(theirs) != auth_values(base):
        raise SessionRefused("its user changed before the request completed.")
    if auth_values(ours) != auth_values(base) and SESSION_KEY in base:
        return ours
    merged = dict(theirs)
    for key in {**base, **ours}:
        if same(key, ours, base, dumps=dumps):
            continue
        if key in ours:
            merged[key] = ours[key]
        else:
            merged.pop(key, None)
    return merged


def apply_merge(data: Data, before: Data, merged: Data, *, dumps: Dumps) -> None:
    """Bring the data in memory, which was ``before``, to what was merged.

    What is the same stays the object that it was: the request may hold on to it.
    """
    kept = {
        key: value
        for key, value in data.items()
        if key in merged and same(key, before, merged, dumps=dumps)
    }
    data.clear()
    data.update({**merged, **kept})


def same(key: str, one: Data, other: Data, *, dumps: Dumps) -> bool:
    """Whether both hold the same value under the key, or both hold none."""
    if key not in one or key not in other:
        return key not in one and key not in other
    return _equal(one[key], other[key]) or (
        # Objects of a site's own serializer need not know when they are equal,
        # and sets are not serialized in the same order each time.
        dumps({key: one[key]}) == dumps({key: other[key]})
    )


def _equal(one: Any, other: Any) -> bool:
    """Equality that tells 1, 1.0 and True apart."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            _equal(value, other[key]) for key, value in one.items()
        )
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)
