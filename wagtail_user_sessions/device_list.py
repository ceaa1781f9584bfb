"""A user's list of devices, as the templates show it.

Theme authors read of these classes in ``docs/templates.md``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.safestring import SafeString

from .calendars import Moment
from .conf import conf
from .forms import RenameForm
from .list_state import MAX_SHOWN, NOT_YOU, OTHERS, PAGE_SIZE, ListState
from .models import AbstractSession
from .moments import ago
from .own_sessions import OwnSessions
from .wording import Wording

# A device counts as in use for this long after its last activity, besides the
# interval within which no activity is written.
ACTIVE_NOW = timedelta(seconds=60)

# The names that the page has with django.contrib.auth, and with allauth.
PASSWORD_CHANGE = ("password_change", "account_change_password")

# The address of a view by its name, and by a device's id where it takes one.
URLFor = Callable[..., str]


def nowhere(name: str, pk: uuid.UUID) -> str:
    """The address of an action with an example."""
    return ""


@dataclass(frozen=True, kw_only=True)
class Device:
    """A device of the list: a session, and what the page says about it."""

    session: AbstractSession
    # When the list was made.
    now: datetime
    is_current: bool = False
    # Whether the page asks for a confirmation, or for a name.
    is_confirming: bool = False
    is_renaming: bool = False
    form: RenameForm | None = None
    # Sent along by the forms; see OwnSessions.prove().
    proof: str = ""
    # The part that gets the focus: "title", "sign_out", "rename_button", "confirm"
    # or "rename".
    focus: str = ""
    # What the devices of a list share; no template's business, so it isn't shown.
    url_for: URLFor = field(default=nowhere, repr=False, compare=False)
    wording: Wording = field(default_factory=Wording, repr=False, compare=False)

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
        return bool(self.session.session_data) and self.session.ends_with_browser()

    @cached_property
    def last_activity(self) -> datetime:
        return last_used(self.session)

    @property
    def last_activity_text(self) -> str:
        """The last activity in words, such as "3 hours ago"."""
        return ago(self.last_activity, now=self.now)

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


@dataclass(frozen=True, kw_only=True)
class DeviceList:
    """The devices of a user, the current one first."""

    devices: tuple[Device, ...]
    # How many there are, shown or not.
    count: int
    state: ListState = ListState()  # noqa: RUF009
    url: str = ""
    revoke_others_url: str = ""
    # Where the site lets its users change their password; empty if nowhere.
    password_change_url: str = ""
    # The part that gets the focus: "summary" or "confirm".
    focus: str = ""
    # What is written into the tag of that part.
    focus_attribute: str = "autofocus"
    # Whether these are examples, with which nothing can be done.
    is_preview: bool = False

    def __iter__(self) -> Iterator[Device]:
        return iter(self.devices)

    @property
    def current(self) -> Device | None:
        return next((device for device in self.devices if device.is_current), None)

    @property
    def others_count(self) -> int:
        """How many there are besides the current one."""
        return self.count - (self.current is not None)

    @property
    def hidden_count(self) -> int:
        """How many are not shown."""
        # One may have ended between the reading of the list and its count.
        return max(0, self.count - len(self.devices))

    @property
    def is_extensible(self) -> bool:
        return self.hidden_count > 0 and self.state.shown < MAX_SHOWN

    @property
    def missing_id(self) -> uuid.UUID | None:
        """The device that the address names, where that isn't on the list."""
        asked = self.state.device_id
        return None if any(device.id == asked for device in self) else asked

    @property
    def is_confirming_others(self) -> bool:
        return self.state.confirm == OTHERS and self.others_count > 0

    @property
    def is_confirming_not_you(self) -> bool:
        is_asked = self.state.confirm == NOT_YOU and self.others_count > 0
        return is_asked and bool(self.password_change_url)

    @property
    def query(self) -> str:
        """Behind the address of an action, it keeps the list as long as it is."""
        return self.state.closed.query

    @property
    def refresh_url(self) -> str:
        """The list as it stands, when it is the page that asks for it."""
        query = self.state.query
        return f"{self.url}{query}{'&' if query else '?'}refresh=1"

    def focused(self, part: str, pk: uuid.UUID | None = None) -> DeviceList:
        """The list with the focus on a part of it, or of one of its devices."""
        if pk is None:
            return replace(self, focus=part)
        devices = (
            replace(device, focus=part if device.id == pk else "") for device in self
        )
        return replace(self, devices=tuple(devices))

    def focused_on_what_is_open(self) -> DeviceList:
        for device in self:
            if device.is_confirming or device.is_renaming:
                part = "confirm" if device.is_confirming else "rename"
                return self.focused(part, device.id)
        if self.is_confirming_others or self.is_confirming_not_you:
            return self.focused("confirm")
        if self.state.is_extended:
            added = self.devices[self.state.shown - PAGE_SIZE :]
            return self.focused("title", added[0].id) if added else self
        return self

    def focused_after(self, row: AbstractSession) -> DeviceList:
        """The focus is where the row was: on the device that took its place."""
        others = [device for device in self if not device.is_current]
        if not others:
            return self.focused("summary")
        moment = last_used(row)
        later = (device for device in others if device.last_activity <= moment)
        return self.focused("sign_out", next(later, others[-1]).id)


def read(
    request: HttpRequest,
    state: ListState,
    *,
    url_for: URLFor,
    password_url: str = "",
    form: RenameForm | None = None,
) -> DeviceList:
    """The list of the request's user, with two queries; one more for a device
    that is asked for and isn't among the first. ``form`` is shown for the
    device that gets a name; ``password_url`` goes before that of the settings.
    """
    sessions = OwnSessions(request)
    listed = sessions.listed
    query = state.closed.query
    wording = Wording()
    now = timezone.now()

    def action_url(name: str, *args: object) -> str:
        return url_for(name, *args) + query

    def describe(row: AbstractSession) -> Device:
        pk = str(row.pk)
        is_renaming = state.rename == pk
        return Device(
            session=row,
            now=now,
            is_current=row.pk == sessions.current_id,
            is_confirming=state.confirm == pk,
            is_renaming=is_renaming,
            form=(form or RenameForm({"name": row.name})) if is_renaming else None,
            proof=sessions.prove(row.pk),
            url_for=action_url,
            wording=wording,
        )

    rows = list(listed[: state.shown])
    asked = state.device_id
    if asked is not None and all(row.pk != asked for row in rows):
        # Others have been used since, and have pushed it off the list.
        rows += listed.filter(pk=asked)
    return DeviceList(
        count=listed.count(),
        devices=tuple(map(describe, rows)),
        state=state,
        url=url_for("device_list"),
        revoke_others_url=action_url("device_revoke_others"),
        password_change_url=password_url or password_change_url(),
    )


def full_title(row: AbstractSession) -> str:
    return with_place(row.name or row.device_label, row.place)


def with_place(title: str, place: str) -> str:
    return f"{title} ({place})" if place else title


def last_used(row: AbstractSession) -> datetime:
    """As ``OwnSessions.listed`` sorts by it: a sign-in counts as activity."""
    return row.last_activity or row.signed_in_at or row.created_at


def password_change_url() -> str:
    """Where the site lets its users change their password; empty if nowhere."""
    names = [conf.PASSWORD_CHANGE_URL] if conf.PASSWORD_CHANGE_URL else PASSWORD_CHANGE
    for name in names:
        try:
            return resolve_url(name)
        except NoReverseMatch:
            continue
    return ""
