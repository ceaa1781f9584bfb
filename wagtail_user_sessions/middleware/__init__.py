"""The classes for ``MIDDLEWARE``."""

from .authentication import AuthenticationMiddleware
from .session import SessionMiddleware

__all__ = ["AuthenticationMiddleware", "SessionMiddleware"]
