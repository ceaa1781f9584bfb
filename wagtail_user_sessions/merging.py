"""Two requests that changed one session: whose value of which key holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from .exceptions import SessionRefused

Data = dict[str, Any]
Dumps = Callable[[Data], bytes]

# One indivisible value: who is signed in, through which backend, by which password.
TRIPLE = (SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY)


def triple(data: Data) -> tuple[Any, ...]:
    return tuple(data.get(key) for key in TRIPLE)


def merge(base: Data, ours: Data, theirs: Data, *, dumps: Dumps) -> Data:
    """What is to be written over ``theirs`` by whoever made ``ours`` from ``base``.

    Raises ``SessionRefused`` where they signed in, out or changed the password
    meanwhile: two users' data never mix. ``dumps`` serializes data, and so
    tells values apart that Python calls equal, such as 1 and True.
    """
    if triple(theirs) != triple(base):
        raise SessionRefused("its user changed before the request completed.")
    if triple(ours) != triple(base) and SESSION_KEY in base:
        return ours
    merged = {
        # Where both agree the object stays ours: the request may hold on to it.
        key: ours[key] if same(key, ours, theirs, dumps=dumps) else value
        for key, value in theirs.items()
    }
    for key in {**base, **ours}:
        if same(key, ours, base, dumps=dumps):
            continue
        if key in ours:
            merged[key] = ours[key]
        else:
            merged.pop(key, None)
    return merged


def same(key: str, one: Data, other: Data, *, dumps: Dumps) -> bool:
    """Whether both hold the same value under the key, or both hold none."""
    if key not in one or key not in other:
        return key not in one and key not in other
    return dumps({key: one[key]}) == dumps({key: other[key]})
