"""The package's own markup, for pages that a site's theme has no part in."""

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
    """Finds the partials of the package, whatever a site has in their place."""

    def get_dirs(self) -> list[str | Path]:
        return [FOLDER]

    def get_template_sources(self, template_name: str) -> Iterator[Origin]:
        if template_name.startswith(PARTIALS):
            yield from super().get_template_sources(template_name)


def render(
    request: HttpRequest, template: str, context: Mapping[str, Any]
) -> HttpResponse:
    """As Django's shortcut, but for the partials, which are the package's own."""
    found = _engine().get_template(template)
    return HttpResponse(found.render(dict(context), request))


@lru_cache(maxsize=1)
def _engine() -> DjangoTemplates:
    """The site's engine, with another loader before its own."""
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
