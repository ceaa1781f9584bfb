"""Check of the site's own templates in the place of the package's."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, register
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template

from .messages import TAG, warning

LIST_TEMPLATE = "wagtail_user_sessions/partials/device_list.html"
# htmx 2 reads the first, and htmx 4 the second.
INHERITED = "hx-target"
INHERITED_BY_HTMX_4 = "hx-target:inherited"


@register(TAG)
def check_list_template(**kwargs: Any) -> list[CheckMessage]:
    source = _source(LIST_TEMPLATE)
    if INHERITED not in source or INHERITED_BY_HTMX_4 in source:
        return []
    message = f"{LIST_TEMPLATE} of this site lacks the attributes that htmx 4 needs."
    hint = (
        "Copy those of the package's template, or silence this check if the site has "
        "no htmx 4: there the list would load whole pages."
    )
    return [warning(17, message, hint=hint)]


def _source(name: str) -> str:
    """Return the text of a template; "" where it can't be read."""
    try:
        template = get_template(name)
    except (TemplateDoesNotExist, TemplateSyntaxError):
        return ""
    # Templates of Jinja don't keep their text.
    return getattr(getattr(template, "template", None), "source", "")
