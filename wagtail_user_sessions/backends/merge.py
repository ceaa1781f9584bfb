"""The merge of two requests that changed one session at the same time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from wagtail_user_sessions.exceptions import OTHER_USER, SessionRefused

Data = dict[str, Any]
Dumps = Callable[[Data], bytes]

# The sign-in as one indivisible value: the user, the backend and the password's hash.
AUTH_KEYS = (SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY)


def auth_values(data: Data) -> tuple[Any, ...]:
    return tuple(data.get(key) for key in AUTH_KEYS)


def merge_into(
    ours: Data, *, base: Data, theirs: Data, serializer: Any
) -> tuple[Data, Callable[[], None]]:
    """Return the merged data, and the function that brings it into ``ours``."""
    before: Data = serializer.loads(serializer.dumps(ours))
    merged = merge(base, before, theirs, dumps=serializer.dumps)
    return merged, partial(apply_merge, ours, before, merged, dumps=serializer.dumps)


def merge(base: Data, ours: Data, theirs: Data, *, dumps: Dumps) -> Data:
    """Return the data to write over ``theirs``; ``ours`` was changed from ``base``.

    Raises ``SessionRefused`` where the other request signed in or out, or changed
    the password: two users' data never mix. All data is expected as it was
    deserialized; ``dumps`` serializes it.
    """
    if not _have_same_sign_in(base, ours, theirs):
        if auth_values(theirs) != auth_values(base):
            raise SessionRefused(OTHER_USER)
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


def _have_same_sign_in(base: Data, ours: Data, theirs: Data) -> bool:
    """Return whether both requests have kept the user and the backend, and have the
    same auth hash: that of the base, or both the same new one.
    """
    return auth_values(ours) == auth_values(theirs) and has_same_user(base, ours)


def has_same_user(base: Data, ours: Data) -> bool:
    """Return whether somebody is signed in, and by both as the same user."""
    names = (SESSION_KEY, BACKEND_SESSION_KEY)
    return SESSION_KEY in base and all(
        ours.get(name) == base.get(name) for name in names
    )


def apply_merge(data: Data, before: Data, merged: Data, *, dumps: Dumps) -> None:
    """Change the data in memory, a copy of which is ``before``, to the merged data.

    An equal value stays the same object: the request may still hold it.
    """
    kept = {
        key: value
        for key, value in data.items()
        if key in merged and same(key, before, merged, dumps=dumps)
    }
    data.clear()
    data.update({**merged, **kept})


def same(key: str, one: Data, other: Data, *, dumps: Dumps) -> bool:
    """Return whether both have the same value under the key, or both have none."""
    if key not in one or key not in other:
        return key not in one and key not in other
    return _equal(one[key], other[key]) or (
        # Objects of a site's own serializer may lack an __eq__, and equal sets may
        # be serialized in another order: either comparison is enough.
        dumps({key: one[key]}) == dumps({key: other[key]})
    )


def _equal(one: Any, other: Any) -> bool:
    """Return whether the values are equal, where 1, 1.0 and True are not."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            _equal(value, other[key]) for key, value in one.items()
        )
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)
