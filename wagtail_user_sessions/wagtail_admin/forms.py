"""Forms that confirm a sign-out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wagtail_user_sessions.sessions.reasons import Reason


class RevocationForm(forms.Form):
    """Asks for the reason, which is kept in the log."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Stands in the log, such as “lost laptop”."),
        required=False,
        max_length=200,
    )

    @property
    def reason_given(self) -> str:
        return self.cleaned_data["reason"] or Reason.REVOKED


class EverybodyForm(RevocationForm):
    """Asks for a typed word as well, so that signing out everybody is no mistake."""

    confirmation = forms.CharField()
    field_order = ("confirmation", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["confirmation"].label = _("Type “%(word)s” to confirm") % {
            "word": self.word
        }
        self.fields["confirmation"].widget.attrs["autocomplete"] = "off"

    @property
    def word(self) -> str:
        return _("everybody")

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"]
        if typed.strip().casefold() != self.word.casefold():
            raise ValidationError(
                _("Type “%(word)s” to confirm"), params={"word": self.word}
            )
        return typed
