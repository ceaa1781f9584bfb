"""What a list says of each of its devices, translated once for all of them."""

from __future__ import annotations

from django.utils.functional import cached_property
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from .calendars import Calendar


class Wording:
    """In the language and the time zone of the page, which first asks for it."""

    @cached_property
    def calendar(self) -> Calendar:
        return Calendar()

    @cached_property
    def words(self) -> dict[str, str]:
        """By their names in templates; translators are trusted, as
        ``{% translate %}`` does.
        """
        words = {
            "place": _("Place"),
            "ip_address": _("IP address"),
            "last_activity": _("Last activity"),
            "active_now": _("Active now"),
            "signed_in": _("Signed in"),
            "expires": _("Expires"),
            "with_browser": _("When the browser closes"),
            "rename": _("Rename"),
            "sign_out": _("Sign out"),
        }
        return {name: SafeString(word) for name, word in words.items()}

    def rename_text(self, device: str) -> str:
        return _filled(self._rename, "Rename %(device)s", device)

    def sign_out_text(self, device: str) -> str:
        return _filled(self._sign_out, "Sign out %(device)s", device)

    @cached_property
    def _rename(self) -> str:
        return _("Rename %(device)s")

    @cached_property
    def _sign_out(self) -> str:
        return _("Sign out %(device)s")


def _filled(text: str, original: str, device: str) -> str:
    """The text about the device; the original where a translation can't be filled."""
    values = {"device": escape(device)}
    try:
        return SafeString(text % values)
    except (KeyError, TypeError, ValueError):
        return SafeString(original % values)
