"""Instances made of the values of a row, without the cost of ``Model.__init__()``.

They are made as Django makes them if the model or a receiver customizes that.
"""

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
    """Return Django's own implementation of a method, to detect overrides later.

    If it is already patched, return an object that equals nothing.
    """
    method = getattr(owner, name)
    function = getattr(method, "__func__", method)
    code = getattr(function, "__code__", None)
    is_original = code is not None and code.co_filename == module.__file__
    return function if is_original else object()


Row = TypeVar("Row", bound=Model)

# Django's and Python's implementations, which a model may override to customize how
# its instances are made.
FROM_DB = django_original(Model, "from_db", base)
INIT = django_original(Model, "__init__", base)
NEW, SETATTR = object.__new__, object.__setattr__
GETATTRIBUTE = object.__getattribute__
# Descriptors that only store a value in the instance's __dict__.
PLAIN_DESCRIPTORS = {DeferredAttribute, ForeignKeyDeferredAttribute}


def from_db(
    model: type[Row], using: str, names: Sequence[str], values: Sequence[Any]
) -> Row:
    """Return an instance as ``model.from_db()`` does, only faster.

    ``names`` are the attribute names of all columns, in the model's order.
    """
    if customizes_init(model):
        return model.from_db(using, names, values)
    state: Any = ModelState()
    state.adding = False
    state.db = using
    row = NEW(model)
    attributes = row.__dict__
    attributes["_state"] = state
    attributes.update(zip(names, values, strict=True))
    return row


def copy_instance(row: Row) -> Row:
    """Return a copy of a row: changes of the copy leave the row as it is."""
    state: Any = ModelState()
    # Does what copy.copy() does, in half the time.
    state.__dict__.update(cast(Any, row._state).__getstate__() or {})
    state.fields_cache = state.fields_cache.copy()
    other = type(row).__new__(type(row))
    other.__dict__.update(row.__dict__, _state=state)
    return other


def set_attributes(row: Row, values: Mapping[str, Any]) -> Row:
    """Set the row's attributes of these names, and return the row."""
    for name, value in values.items():
        setattr(row, name, value)
    return row


def customizes_init(model: Any) -> bool:
    """Return whether the class or a receiver customizes how instances are made.

    Methods are compared at each call, for they may be patched; attributes only once.
    """
    return (
        getattr(model.from_db, "__func__", None) is not FROM_DB
        or model.__init__ is not INIT
        # A mixin may come after Model in the method resolution order.
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
    """Return whether setting an attribute of a column only stores the value."""
    attributes = (field.attname for field in model._meta.concrete_fields)
    return type(model) is ModelBase and all(
        type(getattr_static(model, name)) in PLAIN_DESCRIPTORS for name in attributes
    )
