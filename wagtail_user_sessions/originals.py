"""Methods as Django has them, by which those that were replaced are told."""

from __future__ import annotations

from types import ModuleType


def of_django(owner: type, name: str, module: ModuleType) -> object:
    """The function behind the method, whatever is put in its place later.

    Nothing is it where something else was in its place before.
    """
    method = getattr(owner, name)
    function = getattr(method, "__func__", method)
    code = getattr(function, "__code__", None)
    is_djangos = code is not None and code.co_filename == module.__file__
    return function if is_djangos else object()
