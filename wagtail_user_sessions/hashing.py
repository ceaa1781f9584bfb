"""What is stored of secrets: digests, from which no secret can be found."""

from __future__ import annotations

from hashlib import sha256

from django.contrib.auth.base_user import AbstractBaseUser
from django.views.decorators.debug import sensitive_variables

KEY_HASH_LENGTH = 32
AUTH_DIGEST_LENGTH = 16
# The hash of no key: of the row that is a barrier, and no session.
MARKER_KEY_HASH = b"\xff" * KEY_HASH_LENGTH


@sensitive_variables("session_key")
def hash_session_key(session_key: str) -> bytes:
    """The 32 bytes that stand for a session key in the database and the cache.

    Unsalted and without SECRET_KEY: a random key of 160 bits needs no pepper,
    and rotating the secret must not sign anyone out. Accepts whatever a client
    sent as its cookie.
    """
    return sha256(session_key.encode("utf-8", "surrogatepass")).digest()


def digest_auth_hash(auth_hash: str) -> bytes:
    """The 16 bytes that stand for a user's session auth hash."""
    encoded = auth_hash.encode("utf-8", "surrogatepass")
    return sha256(encoded).digest()[:AUTH_DIGEST_LENGTH]


def valid_auth_hashes(user: AbstractBaseUser) -> list[bytes]:
    """The digests of the auth hashes that are valid for the user now.

    None where the user model knows no such hash, as Django allows.
    """
    if not hasattr(user, "get_session_auth_hash"):
        return []
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return [digest_auth_hash(auth_hash) for auth_hash in hashes]
