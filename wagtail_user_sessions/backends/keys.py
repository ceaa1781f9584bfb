"""Session keys, whose first character tells what they were made for.

A key made for a sign-in, or by ``cycle_key()``, saves the cache a call, for only
visitors' sessions have copies. Nothing else hangs on it.
"""

from __future__ import annotations

from secrets import choice, randbelow

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
FOR_SIGN_IN, FOR_VISITOR = ALPHABET[::2], ALPHABET[1::2]
LENGTH = 32


def new_key(*, for_sign_in: bool) -> str:
    """Return a random key of 164 bits in 32 characters.

    There is no need to ask whether it is in use: the unique column would tell.
    """
    first = choice(FOR_SIGN_IN if for_sign_in else FOR_VISITOR)
    rest = randbelow(len(ALPHABET) ** (LENGTH - 1))
    characters = [first]
    for _ in range(LENGTH - 1):
        rest, digit = divmod(rest, len(ALPHABET))
        characters.append(ALPHABET[digit])
    return "".join(characters)


def is_made_for_sign_in(session_key: str) -> bool:
    """Return whether the key is one that ``new_key(for_sign_in=True)`` makes.

    A site's own keys, and those of other engines, are as good as visitors'.
    """
    return len(session_key) == LENGTH and session_key[0] in FOR_SIGN_IN
