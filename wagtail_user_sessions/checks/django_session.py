"""Check for modules that hold Django's ``Session``: it ends nobody."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import ModuleType
from typing import Any, cast

from django.core.checks import CheckMessage, register
from django.urls import get_resolver

from wagtail_user_sessions.backends.engine import get_engine

from .messages import TAG, warning

MODULE = "django.contrib.sessions.models"
# Modules of these packages may hold the class.
OWN = {"django", __name__.partition(".")[0]}

HINT = (
    "No session is in its table: a loop over it finds nobody, and a deletion signs "
    "nobody out. In code of yours, import {model} instead, and write "
    "Session.objects.for_user(user).revoke() or Session.objects.for_key(key).revoke(): "
    "a key is stored nowhere, and can't be read from a row. What another package does "
    "with Django's Session has no effect; where you can do without, silence this check."
)


@register(TAG)
def check_session_class(**kwargs: Any) -> list[CheckMessage]:
    try:
        model = get_engine(strict=True).get_model_class()
    except Exception:
        # Another check reports the engine. With Django's, its class is the right one.
        return []
    holders = session_holders()
    if not holders:
        return []
    message = f"Django's own Session is used by {', '.join(holders)}."
    path = f"{model.__module__}.{model.__qualname__}"
    return [warning(20, message, hint=HINT.format(model=path))]


def session_holders() -> list[str]:
    """Return the names of modules that hold Django's ``Session``, sorted.

    They have the class, a subclass, a manager or the module of it as an attribute, or
    as an attribute of a class of theirs; or a model that refers to it; or a
    ``ModelAdmin`` that it is registered with. An import inside a function isn't seen.
    """
    session = _namespace(sys.modules.get(MODULE)).get("Session")
    if not isinstance(session, type):
        return []
    # Views are imported with the URLs. Django's own check imports them before this one
    # or after it, and reports what is wrong with them.
    with suppress(Exception):
        _ = get_resolver().url_patterns
    classes = [session, *_subclasses(session)]
    names = {*_modules(classes), *_referring_models(session), *_admins(classes)}
    return sorted(name for name in names if name.partition(".")[0] not in OWN)


def _subclasses(cls: type) -> Iterator[type]:
    children: list[type] = type.__subclasses__(cls)
    for subclass in children:
        yield subclass
        yield from _subclasses(subclass)


def _modules(classes: list[type]) -> Iterator[str]:
    managers = [manager for cls in classes for manager in _meta(cls, "managers")]
    targets = {id(held) for held in (sys.modules[MODULE], *classes, *managers)}
    for name, module in list(sys.modules.items()):
        members = list(_namespace(module).values())
        if not targets.isdisjoint(map(id, members)) or any(
            not targets.isdisjoint(map(id, _attributes(member, of=name)))
            for member in members
        ):
            yield name


def _attributes(member: object, *, of: str) -> list[object]:
    """Return the attributes of a class that the module ``of`` defines."""
    # By type(), for isinstance() asks a lazy object for its class, which makes it.
    if not issubclass(type(member), type):
        return []
    cls = cast(type, member)
    attributes: Mapping[str, object] = type.__getattribute__(cls, "__dict__")
    return list(attributes.values()) if attributes.get("__module__") == of else []


def _namespace(module: object) -> Mapping[str, object]:
    """Return the attributes of a module; none of what only stands for a module."""
    if not issubclass(type(module), ModuleType):
        return {}
    # A lazy module imports itself when it is asked in any other way.
    namespace = ModuleType.__getattribute__(cast(ModuleType, module), "__dict__")
    return cast(Mapping[str, object], namespace)


def _referring_models(session: type) -> Iterator[str]:
    for relation in _meta(session, "related_objects"):
        yield relation.related_model.__module__


def _admins(classes: list[type]) -> Iterator[str]:
    """Yield the modules of its admins; the name of the site if that is Django's own."""
    module = _namespace(sys.modules.get("django.contrib.admin.sites"))
    for site in list(cast(Any, module.get("all_sites", ()))):
        for model, admin in list(site._registry.items()):
            if model in classes:
                name = type(admin).__module__
                is_own = name.partition(".")[0] in OWN
                yield f"the admin site {site.name!r}" if is_own else name


def _meta(cls: type, name: str) -> Any:
    return getattr(getattr(cls, "_meta", None), name, ())
