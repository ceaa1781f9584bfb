"""Methods as Django has them, by which those that were replaced are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from inspect import getattr_static
from types import ModuleType
from typing import Any, TypeVar, cast

from django.db.models import Model, base
from django.db.models.base import ModelBase, ModelState
from django.db.models.fields.related_descriptors import ForeignKeyDeferredAttribute
from django.db.models.query_utils import DeferredAttribute
from django.db.models.signals import post_init, pre_init


def django_original(owner: type, name: str, module: ModuleType) -> object:
    """The function behind the method, whatever is put in its place later.

    Nothing is it where something else was in its place before.
    """
    method = getattr(owner, name)
    function = getattr(method, "__func__", method)
    code = getattr(function, "__code__", None)
    is_djangos = code is not None and code.co_filename == module.__file__
    return function if is_djangos else object()


Row = TypeVar("Row", bound=Model)

# What a class may have of its own, to take part in the making of its instances.
FROM_DB = django_original(Model, "from_db", base)
INIT = django_original(Model, "__init__", base)
NEW, SETATTR = object.__new__, object.__setattr__
GETATTRIBUTE = object.__getattribute__
# What keeps a value among those of the instance.
KEEPING = {DeferredAttribute, ForeignKeyDeferredAttribute}


def from_db(
    model: type[Row], using: str, names: Sequence[str], values: Sequence[Any]
) -> Row:
    """As ``model.from_db``; ``names`` are all attributes of columns, in their order."""
    if customizes_init(model):
        return model.from_db(using, names, values)
    state: Any = ModelState()
    state.adding = False
    state.db = using
    row = NEW(model)
    known = row.__dict__
    known["_state"] = state
    known.update(zip(names, values, strict=True))
    return row


def copy_instance(row: Row) -> Row:
    """A row like this one, to be changed while this one stays as it is."""
    state: Any = ModelState()
    # As copy() does it, in half the time.
    state.__dict__.update(cast(Any, row._state).__getstate__() or {})
    state.fields_cache = state.fields_cache.copy()
    other = type(row).__new__(type(row))
    other.__dict__.update(row.__dict__, _state=state)
    return other


def set_attributes(row: Row, values: Mapping[str, Any]) -> Row:
    """Give the row these values, by the names of its attributes."""
    for name, value in values.items():
        setattr(row, name, value)
    return row


def customizes_init(model: Any) -> bool:
    """Whether the class, or a receiver, may do something about a new instance.

    Methods are looked at each time, for they may be replaced; attributes once.
    """
    return (
        getattr(model.from_db, "__func__", None) is not FROM_DB
        or model.__init__ is not INIT
        # Which a mixin may have behind the model.
        or super(Model, model).__init__ is not object.__init__
        or model.__new__ is not NEW
        or model.__setattr__ is not SETATTR
        or model.__getattribute__ is not GETATTRIBUTE
        or pre_init.has_listeners(model)
        or post_init.has_listeners(model)
        or not _has_plain_attributes(model)
    )


@lru_cache(maxsize=32)
def _has_plain_attributes(model: type[Model]) -> bool:
    """Whether an instance keeps each value that is set, and does nothing more."""
    attributes = (field.attname for field in model._meta.concrete_fields)
    return type(model) is ModelBase and all(
        type(getattr_static(model, name)) in KEEPING for name in attributes
    )
