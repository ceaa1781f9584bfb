"""A user's list of devices, as the templates show it.

Theme authors read of it in ``docs/templates.md``.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch
from django.utils import timezone

from wagtail_user_sessions.conf import conf
from wagtail_user_sessions.sessions.base import AbstractSession

from .device_item import DeviceItem, URLFor, last_used
from .formatting import Labels
from .forms import RenameForm
from .list_params import MAX_SHOWN, MORE, NOT_YOU, OTHERS, SHOWN_AT_FIRST, ListParams
from .own_sessions import OwnSessions

# The names that the page has with django.contrib.auth, and with allauth.
PASSWORD_CHANGE = ("password_change", "account_change_password")


@dataclass(frozen=True, kw_only=True)
class DeviceList:
    """The devices of a user, the current one first."""

    devices: tuple[DeviceItem, ...]
    # How many there are, shown or not.
    count: int
    state: ListParams = ListParams()  # noqa: RUF009
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

    def __iter__(self) -> Iterator[DeviceItem]:
        return iter(self.devices)

    @property
    def current(self) -> DeviceItem | None:
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
            added = self.devices[max(SHOWN_AT_FIRST, self.state.shown - MORE) :]
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


def get_device_list(
    request: HttpRequest,
    state: ListParams,
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
    wording = Labels()
    now = timezone.now()

    def action_url(name: str, *args: object) -> str:
        return url_for(name, *args) + query

    def describe(row: AbstractSession) -> DeviceItem:
        pk = str(row.pk)
        is_renaming = state.rename == pk
        return DeviceItem(
            session=row,
            now=now,
            is_current=row.pk == sessions.current_id,
            is_confirming=state.confirm == pk,
            is_renaming=is_renaming,
            form=(form or RenameForm({"name": row.name})) if is_renaming else None,
            proof=sessions.sign_id(row.pk),
            store=sessions.store,
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


def password_change_url() -> str:
    """Where the site lets its users change their password; empty if nowhere."""
    names = [conf.PASSWORD_CHANGE_URL] if conf.PASSWORD_CHANGE_URL else PASSWORD_CHANGE
    for name in names:
        try:
            return resolve_url(name)
        except NoReverseMatch:
            continue
    return ""
