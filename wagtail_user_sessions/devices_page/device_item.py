"""A device of a user's device list, as the templates show it.

``docs/templates.md`` documents its attributes for theme authors.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils.functional import cached_property
from django.utils.html import escape
from django.utils.safestring import SafeString

from wagtail_user_sessions.backends.db import SessionStore
from wagtail_user_sessions.conf import conf
from wagtail_user_sessions.sessions.base import AbstractSession

from .formatting import FormattedTime, Labels, break_between_groups, time_ago
from .forms import RenameForm

# A device is shown as active for this long after its last activity, plus
# ACTIVITY_INTERVAL: within that interval no activity is written.
ACTIVE_NOW = timedelta(seconds=60)
# To detect that a site's own model overrides the method.
OUR_ENDS_WITH_BROWSER = AbstractSession.ends_with_browser

# Returns the URL of a view: ``url_for(name)``, or ``url_for(name, pk)`` where the
# view takes the id of a device.
URLFor = Callable[..., str]


def no_url(name: str, pk: uuid.UUID) -> str:
    """Return no URL: an example of a preview has no actions."""
    return ""


@dataclass(frozen=True, kw_only=True)
class DeviceItem:
    """A device of the list: a session, and what the page shows of it."""

    session: AbstractSession
    # When the list was made.
    now: datetime
    is_current: bool = False
    # Whether the page asks for a confirmation, or for a name.
    is_confirming: bool = False
    is_renaming: bool = False
    form: RenameForm | None = None
    # Hidden field of the forms; see OwnSessions.sign_id().
    proof: str = ""
    # The part that gets the focus: "title", "sign_out", "rename_button", "confirm"
    # or "rename".
    focus: str = ""
    # The devices of a list share the next three. They aren't for templates, so
    # repr() leaves them out.
    url_for: URLFor = field(default=no_url, repr=False, compare=False)
    # Decodes the data of the sessions.
    store: SessionStore | None = field(default=None, repr=False, compare=False)
    labels: Labels = field(default_factory=Labels, repr=False, compare=False)

    # With __getitem__() alone, Python would iterate over a device as a sequence.
    __iter__ = None

    def __getitem__(self, name: str) -> object:
        """Return the attribute ``name``.

        Templates try ``device[name]`` before ``device.name``: without this method
        each attribute costs them an exception.
        """
        return getattr(self, name)

    @property
    def id(self) -> uuid.UUID:
        return self.session.pk

    @cached_property
    def html_id(self) -> str:
        """The id as a part of other ids."""
        # Safe: a UUID has digits, letters and hyphens only.
        return SafeString(self.id)

    @cached_property
    def title(self) -> str:
        """The name that its user gave it, else its label."""
        return self.session.name or self.label

    @cached_property
    def label(self) -> str:
        """Browser and system, such as "Chrome on Windows"."""
        return self.session.device_label

    @cached_property
    def full_title(self) -> str:
        """The title with the place, which distinguishes devices of one label."""
        return with_place(self.title, self.place)

    @property
    def kind(self) -> str:
        """A value of ``DeviceKind``, such as "mobile"."""
        return self.session.device_kind

    @cached_property
    def place(self) -> str:
        """City and country, as far as they are known: "London, GB"."""
        return self.session.place

    @cached_property
    def ip(self) -> str:
        """The IP address, which may break between its groups; "" if unknown."""
        return break_between_groups(self.session.ip or "")

    @cached_property
    def revoke_url(self) -> str:
        return self.url_for("device_revoke", self.id)

    @cached_property
    def rename_url(self) -> str:
        return self.url_for("device_rename", self.id)

    @cached_property
    def ends_with_browser(self) -> bool:
        """Whether the browser forgets the session when it closes."""
        data = self.session.session_data
        if self.store is None or not data:
            # An example.
            return False
        if type(self.session).ends_with_browser is not OUR_ENDS_WITH_BROWSER:
            return self.session.ends_with_browser()
        # As the row answers, without a store for each row.
        return self.store.ends_with_browser(data)

    @cached_property
    def last_activity(self) -> datetime:
        return last_used(self.session)

    @property
    def last_activity_text(self) -> str:
        """The last activity in words, such as "3 hours ago"."""
        return time_ago(self.last_activity, now=self.now)

    @cached_property
    def is_active_now(self) -> bool:
        """Whether the device is, or may be, in use now."""
        limit = timedelta(seconds=conf.ACTIVITY_INTERVAL) + ACTIVE_NOW
        return self.is_current or self.now - self.last_activity < limit

    @cached_property
    def seen(self) -> FormattedTime:
        """The last activity, formatted."""
        return self.labels.date_formatter.format(self.last_activity)

    @cached_property
    def signed_in(self) -> FormattedTime | None:
        """The time of the sign-in, formatted; None if it isn't known."""
        value = self.session.signed_in_at
        return None if value is None else self.labels.date_formatter.format(value)

    @cached_property
    def expires(self) -> FormattedTime:
        """The time when the session expires, formatted."""
        return self.labels.date_formatter.format(self.session.expire_date)

    @cached_property
    def words(self) -> dict[str, str]:
        """The labels that each device has, in the language of the page."""
        return self.labels.words

    @property
    def rename_text(self) -> str:
        """The accessible name of the button that renames it."""
        return self.labels.rename_text(self._escaped_title)

    @property
    def sign_out_text(self) -> str:
        """The accessible name of the button that signs it out."""
        return self.labels.sign_out_text(self._escaped_title)

    @cached_property
    def _escaped_title(self) -> SafeString:
        return escape(self.full_title)


def full_title(row: AbstractSession) -> str:
    return with_place(row.name or row.device_label, row.place)


def with_place(title: str, place: str) -> str:
    return f"{title} ({place})" if place else title


def last_used(row: AbstractSession) -> datetime:
    """Return the last activity, else the sign-in, which counts as activity.

    ``own_sessions.LATEST_FIRST`` sorts by the same columns.
    """
    return row.last_activity or row.signed_in_at or row.created_at
