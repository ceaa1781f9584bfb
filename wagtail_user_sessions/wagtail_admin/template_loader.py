"""Rendering with the package's own partials, in pages without the site's theme."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template import Origin, engines
from django.template.backends.django import DjangoTemplates
from django.template.loaders import filesystem

CACHED = "django.template.loaders.cached.Loader"
PARTIALS = "wagtail_user_sessions/partials/"
FOLDER = Path(__file__).resolve().parent.parent / "templates"


class Loader(filesystem.Loader):
    """Finds the partials of the package, even if a site overrides them."""

    def get_dirs(self) -> list[str | Path]:
        return [FOLDER]

    def get_template_sources(self, template_name: str) -> Iterator[Origin]:
        if template_name.startswith(PARTIALS):
            yield from super().get_template_sources(template_name)


def render(
    request: HttpRequest, template: str, context: Mapping[str, Any]
) -> HttpResponse:
    """Return what `django.shortcuts.render` would, but with the package's partials."""
    found = _engine().get_template(template)
    return HttpResponse(found.render(dict(context), request))


@lru_cache(maxsize=1)
def _engine() -> DjangoTemplates:
    """Return a copy of the site's engine, with our loader before its own."""
    site = next(
        engine for engine in engines.all() if isinstance(engine, DjangoTemplates)
    )
    engine = site.engine
    return DjangoTemplates(
        {
            "NAME": "wagtail_user_sessions",
            "DIRS": engine.dirs,
            "APP_DIRS": False,
            "OPTIONS": {
                "loaders": [(CACHED, [f"{__name__}.Loader", *engine.loaders])],
                "context_processors": engine.context_processors,
                "string_if_invalid": engine.string_if_invalid,
                "libraries": engine.libraries,
                "builtins": engine.builtins,
                "autoescape": engine.autoescape,
                "debug": engine.debug,
            },
        }
    )
