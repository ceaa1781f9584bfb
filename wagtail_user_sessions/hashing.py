"""Digests of session keys and auth hashes, from which no secret can be found."""

from __future__ import annotations

from hashlib import sha256

from django.contrib.auth.base_user import AbstractBaseUser
from django.views.decorators.debug import sensitive_variables

KEY_HASH_LENGTH = 32
AUTH_DIGEST_LENGTH = 16
# Key hash of the not-before marker, which is no session and has no session key.
MARKER_KEY_HASH = b"\xff" * KEY_HASH_LENGTH


@sensitive_variables("session_key")
def hash_session_key(session_key: str) -> bytes:
    """Return the key hash: 32 bytes that the database and the cache use for the key.

    It has no salt and no SECRET_KEY: a random key of 164 bits needs no pepper,
    and rotating the secret must not sign anyone out. Every text is accepted, also
    lone surrogates, for the key may be a cookie that a client made up.
    """
    return sha256(session_key.encode("utf-8", "surrogatepass")).digest()


def digest_auth_hash(auth_hash: str) -> bytes:
    """Return the 16 bytes that the database keeps for a user's session auth hash."""
    encoded = auth_hash.encode("utf-8", "surrogatepass")
    return sha256(encoded).digest()[:AUTH_DIGEST_LENGTH]


def valid_auth_hashes(user: AbstractBaseUser) -> list[bytes]:
    """Return the digests of the auth hashes that are valid for the user now.

    The list is empty if the user model has no ``get_session_auth_hash()``, which
    Django allows.
    """
    if not hasattr(user, "get_session_auth_hash"):
        return []
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return [digest_auth_hash(auth_hash) for auth_hash in hashes]
