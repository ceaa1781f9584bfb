"""A device of a user's list, as the templates show it.

Theme authors read of it in ``docs/templates.md``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils.functional import cached_property
from django.utils.safestring import SafeString

from wagtail_user_sessions.backends.db import SessionStore
from wagtail_user_sessions.conf import conf
from wagtail_user_sessions.sessions.base import AbstractSession

from .formatting import Labels, Moment, time_ago
from .forms import RenameForm

# A device counts as in use for this long after its last activity, besides the
# interval within which no activity is written.
ACTIVE_NOW = timedelta(seconds=60)

# The address of a view by its name, and by a device's id where it takes one.
URLFor = Callable[..., str]


def nowhere(name: str, pk: uuid.UUID) -> str:
    """The address of an action with an example."""
    return ""


@dataclass(frozen=True, kw_only=True)
class DeviceItem:
    """A device of the list: a session, and what the page says about it."""

    session: AbstractSession
    # When the list was made.
    now: datetime
    is_current: bool = False
    # Whether the page asks for a confirmation, or for a name.
    is_confirming: bool = False
    is_renaming: bool = False
    form: RenameForm | None = None
    # Sent along by the forms; see OwnSessions.sign_id().
    proof: str = ""
    # The part that gets the focus: "title", "sign_out", "rename_button", "confirm"
    # or "rename".
    focus: str = ""
    # What the devices of a list share; no template's business, so it isn't shown.
    url_for: URLFor = field(default=nowhere, repr=False, compare=False)
    # Decodes the data of all of them.
    store: SessionStore | None = field(default=None, repr=False, compare=False)
    wording: Labels = field(default_factory=Labels, repr=False, compare=False)

    # It is no sequence, though it answers to names.
    __iter__ = None

    def __getitem__(self, name: str) -> object:
        """As templates ask first, for whom each attribute else costs an exception."""
        return getattr(self, name)

    @property
    def id(self) -> uuid.UUID:
        return self.session.pk

    @cached_property
    def html_id(self) -> str:
        """The id as a part of other ids."""
        # Digits, letters and hyphens.
        return SafeString(self.id)

    @cached_property
    def title(self) -> str:
        """The name that its user gave it, else its label."""
        return self.session.name or self.label

    @cached_property
    def label(self) -> str:
        """What it is, such as "Chrome on Windows"."""
        return self.session.device_label

    @cached_property
    def full_title(self) -> str:
        """The title and the place, which tell it from others of its kind."""
        return with_place(self.title, self.place)

    @property
    def kind(self) -> str:
        """A value of ``devices.Kind``, such as "mobile"."""
        return self.session.device_kind

    @cached_property
    def place(self) -> str:
        """City and country, as far as they are known: "London, GB"."""
        return self.session.place

    @cached_property
    def revoke_url(self) -> str:
        return self.url_for("device_revoke", self.id)

    @cached_property
    def rename_url(self) -> str:
        return self.url_for("device_rename", self.id)

    @cached_property
    def ends_with_browser(self) -> bool:
        """Whether the browser forgets the session when it closes."""
        # An example has no data.
        data = self.session.session_data
        return (
            bool(data)
            and self.store is not None
            and (self.store.ends_with_browser(data))
        )

    @cached_property
    def last_activity(self) -> datetime:
        return last_used(self.session)

    @property
    def last_activity_text(self) -> str:
        """The last activity in words, such as "3 hours ago"."""
        return time_ago(self.last_activity, now=self.now)

    @cached_property
    def is_active_now(self) -> bool:
        """Whether it is, or may be, in use at this moment."""
        silence = timedelta(seconds=conf.ACTIVITY_INTERVAL) + ACTIVE_NOW
        return self.is_current or self.now - self.last_activity < silence

    @cached_property
    def seen(self) -> Moment:
        """The last activity, written."""
        return self.wording.calendar.write(self.last_activity)

    @cached_property
    def signed_in(self) -> Moment | None:
        """When its user signed in, written."""
        moment = self.session.signed_in_at
        return None if moment is None else self.wording.calendar.write(moment)

    @cached_property
    def expires(self) -> Moment:
        """When its session expires, written."""
        return self.wording.calendar.write(self.session.expire_date)

    @property
    def words(self) -> dict[str, str]:
        """What is said of each device, in the language of the page."""
        return self.wording.words

    @property
    def rename_text(self) -> str:
        """The accessible name of the button that renames it."""
        return self.wording.rename_text(self.full_title)

    @property
    def sign_out_text(self) -> str:
        """The accessible name of the button that signs it out."""
        return self.wording.sign_out_text(self.full_title)


def full_title(row: AbstractSession) -> str:
    return with_place(row.name or row.device_label, row.place)


def with_place(title: str, place: str) -> str:
    return f"{title} ({place})" if place else title


def last_used(row: AbstractSession) -> datetime:
    """As ``OwnSessions.listed`` sorts by it: a sign-in counts as activity."""
    return row.last_activity or row.signed_in_at or row.created_at
