from __future__ import annotations

import unicodedata

from django import forms
from django.utils.translation import gettext_lazy as _

from wagtail_user_sessions.sessions.base import AbstractSession

# Joiners, which are not printable, but without which neither Persian words nor
# emoji families can be written.
JOINERS = "\u200c\u200d"
# Letters and symbols that show nothing.
BLANKS = "\u115f\u1160\u2800\u3164\uffa0"


class RenameForm(forms.Form):
    """The name that its user gives to a device; an empty one takes it back."""

    name = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=AbstractSession._meta.get_field("name").max_length,
    )

    def clean_name(self) -> str:
        """The name without control characters, and what turns its direction."""
        # Python counts no space but the plain one as printable.
        name = " ".join(self.cleaned_data["name"].split())
        readable = "".join(c for c in name if c.isprintable() or c in JOINERS)
        readable = readable.strip(JOINERS + BLANKS + " ")
        return readable if any(map(_is_visible, readable)) else ""


def _is_visible(character: str) -> bool:
    """Whether it is a letter, a number, a punctuation mark or a symbol."""
    return unicodedata.category(character)[0] in "LNPS"
