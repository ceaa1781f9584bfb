from __future__ import annotations

import unicodedata

from django import forms
from django.utils.translation import gettext_lazy as _

from wagtail_user_sessions.sessions.base import AbstractSession

# Python counts joiners as not printable, but Persian words and emoji families need
# them.
JOINERS = "\u200c\u200d"
# Letters and symbols that are invisible.
BLANKS = "\u115f\u1160\u2800\u3164\uffa0"


class RenameForm(forms.Form):
    """The name that a user gives to a device; an empty one removes the name."""

    name = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=AbstractSession._meta.get_field("name").max_length,
    )

    def clean_name(self) -> str:
        """Return the name without control characters and direction overrides.

        A name of invisible characters only is empty.
        """
        # isprintable() is true of no space but the plain one.
        name = " ".join(self.cleaned_data["name"].split())
        readable = "".join(c for c in name if c.isprintable() or c in JOINERS)
        readable = readable.strip(JOINERS + BLANKS + " ")
        return readable if any(map(_is_visible, readable)) else ""


def _is_visible(character: str) -> bool:
    """Return whether it is a letter, number, punctuation mark or symbol."""
    return unicodedata.category(character)[0] in "LNPS"
