from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from .models import AbstractSession

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
        name: str = self.cleaned_data["name"]
        readable = "".join(c for c in name if c.isprintable() or c in JOINERS)
        return readable.strip(JOINERS + BLANKS + " ")
