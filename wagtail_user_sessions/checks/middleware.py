"""Checks of the session middleware: that it is ours, and that it comes first."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from itertools import pairwise
from types import CodeType
from typing import Any

from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware as DjangoMiddleware
from django.core.checks import CheckMessage, register
from django.utils.module_loading import import_string

from wagtail_user_sessions.middleware import SessionMiddleware

from .messages import TAG, error

# Middleware that uses ``request.session``.
AFTER = (
    auth.AuthenticationMiddleware,
    auth.RemoteUserMiddleware,
    auth.LoginRequiredMiddleware,
    MessageMiddleware,
)
OURS = '"wagtail_user_sessions.middleware.SessionMiddleware", or a subclass of it,'
WITHOUT = "Without it a session knows neither its client nor its activity."
HINT = f"Let {OURS} be the only session middleware. {WITHOUT}"
REPLACE_HINT = f'Put {OURS} in the place of "{{path}}". {WITHOUT}'
REMOVE_HINT = (
    'Take "{path}" out: "wagtail_user_sessions.middleware.SessionMiddleware", or a '
    "subclass of it, has to be the only session middleware."
)


# Names of a method's own object.
OWN = {"self", "cls"}


@register(TAG)
def check_middleware(**kwargs: Any) -> list[CheckMessage]:
    djangos, ours = _places(DjangoMiddleware), _places(SessionMiddleware)
    foreign = list(_foreign(alone=not djangos))
    if not djangos:
        return _check_replaced(foreign)
    hint = REMOVE_HINT if ours else REPLACE_HINT
    message = "MIDDLEWARE has {path}, which isn't this package's."
    return [
        error(4, message.format(path=path), hint=hint.format(path=path))
        for path in settings.MIDDLEWARE
        if path in foreign or (path in djangos and path not in ours)
    ]


def _check_replaced(foreign: list[str]) -> list[CheckMessage]:
    if not foreign:
        return [error(3, "MIDDLEWARE has no session middleware.", hint=HINT)]
    message = "MIDDLEWARE has {path}, the session middleware of another package."
    return [
        error(3, message.format(path=path), hint=REPLACE_HINT.format(path=path))
        for path in foreign
    ]


@register(TAG)
def check_order(**kwargs: Any) -> list[CheckMessage]:
    first = min(_places(DjangoMiddleware).values(), default=0)
    hint = "Move the session middleware before all that use the session."
    return [
        error(5, f"MIDDLEWARE has {path} before the session middleware.", hint=hint)
        for path, place in _places(*AFTER).items()
        if place < first
    ]


def _places(*classes: type) -> dict[str, int]:
    """Return the index in MIDDLEWARE of these classes and their subclasses, by path."""
    return {
        path: place
        for place, path in enumerate(settings.MIDDLEWARE)
        for middleware in [_load(path)]
        if isinstance(middleware, type) and issubclass(middleware, classes)
    }


def _load(path: str) -> object:
    try:
        return import_string(path)
    except Exception:
        # Django itself reports it: the site doesn't start.
        return None


def _foreign(*, alone: bool) -> Iterator[str]:
    """Yield session middleware that isn't Django's nor extends it.

    Beside one of Django's kind it needs the name, too: to set ``request.session`` is
    then what middleware for tokens does.
    """
    for path in settings.MIDDLEWARE:
        middleware = _load(path)
        if isinstance(middleware, type) and issubclass(middleware, DjangoMiddleware):
            continue
        is_named = str(path).endswith(".SessionMiddleware")
        sets = any(map(_sets_session, _code(middleware)))
        if (is_named and (sets or middleware is None)) or (alone and sets):
            yield path


def _code(middleware: object) -> Iterator[CodeType]:
    functions: list[object] = [middleware]
    if isinstance(middleware, type):
        functions += [
            member for cls in middleware.__mro__ for member in vars(cls).values()
        ]
    for function in functions:
        code = getattr(function, "__code__", None)
        if isinstance(code, CodeType):
            yield code


def _sets_session(code: CodeType) -> bool:
    """Return whether a function, or one inside it, sets ``session`` of an argument."""
    steps = list(dis.get_instructions(code))
    return any(
        step.opname == "STORE_ATTR" and step.argval == "session" and _is_request(before)
        for before, step in pairwise(steps)
    ) or any(
        _sets_session(inner) for inner in code.co_consts if isinstance(inner, CodeType)
    )


def _is_request(step: dis.Instruction) -> bool:
    """Return whether a step puts a plain variable on the stack, such as the request.

    So ``self.session`` and ``request.db.session`` are left out.
    """
    # One step may load two variables; the last is on top.
    name = step.argval[-1] if isinstance(step.argval, tuple) else step.argval
    return step.opname.startswith(("LOAD_FAST", "LOAD_DEREF")) and name not in OWN
