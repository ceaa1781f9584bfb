"""Check of the site's own templates in the place of the package's."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage, register
from django.template.loader import get_template

from .messages import TAG, warning

PACKAGE = Path(__file__).parent.parent
BASE_TEMPLATE = "wagtail_user_sessions/base.html"
LIST_TEMPLATE = "wagtail_user_sessions/partials/device_list.html"
# htmx 2 reads the first, and htmx 4 the second.
INHERITED = "hx-target"
INHERITED_BY_HTMX_4 = "hx-target:inherited"


@register(TAG)
def check_list_template(**kwargs: Any) -> list[CheckMessage]:
    source = _source(LIST_TEMPLATE)
    is_right = INHERITED not in source or INHERITED_BY_HTMX_4 in source
    if is_right or _is_ours(BASE_TEMPLATE):
        # The package's own page loads the htmx 2 of django-htmx.
        return []
    message = f"{LIST_TEMPLATE} of this site lacks the attributes that htmx 4 needs."
    hint = (
        "Copy those of the package's template, or silence this check if the site has "
        "no htmx 4: there the list would load whole pages."
    )
    return [warning(17, message, hint=hint)]


def _is_ours(name: str) -> bool:
    with suppress(Exception):
        origin = getattr(get_template(name), "origin", None)
        return Path(str(origin)).is_relative_to(PACKAGE)
    return False


def _source(name: str) -> str:
    """Return the text of a template; "" where it can't be read."""
    try:
        template = get_template(name)
    except Exception:
        # A file may also have another encoding. The page itself tells the error.
        return ""
    # Templates of Jinja don't keep their text.
    return getattr(getattr(template, "template", None), "source", "")
