"""A user's device list, as the templates show it.

``docs/templates.md`` documents its attributes for theme authors.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

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

# URL names of the page that changes a password: of django.contrib.auth, of allauth.
PASSWORD_CHANGE = ("password_change", "account_change_password")


@dataclass(frozen=True, kw_only=True)
class DeviceList:
    """The devices of a user, the current one first."""

    devices: tuple[DeviceItem, ...]
    # The number of devices, shown or not.
    count: int
    state: ListParams = ListParams()  # noqa: RUF009
    url: str = ""
    revoke_others_url: str = ""
    # The page where users change their password; empty if the site has none.
    password_change_url: str = ""
    # The part that gets the focus: "summary" or "confirm".
    focus: str = ""
    # The attribute that the tag of that part gets.
    focus_attribute: str = "autofocus"
    # Whether these are the examples of a preview, which have no actions.
    is_preview: bool = False

    def __iter__(self) -> Iterator[DeviceItem]:
        return iter(self.devices)

    def __getitem__(self, name: str) -> object:
        """Return the attribute ``name``, for templates; see ``DeviceItem``."""
        return getattr(self, name)

    @property
    def current(self) -> DeviceItem | None:
        return next((device for device in self.devices if device.is_current), None)

    @property
    def others_count(self) -> int:
        """The number of devices besides the current one."""
        return self.count - (self.current is not None)

    @property
    def hidden_count(self) -> int:
        """The number of devices that are not shown."""
        # The rows are read before they are counted: a session can end in between.
        return max(0, self.count - len(self.devices))

    @property
    def is_extensible(self) -> bool:
        return self.hidden_count > 0 and self.state.shown < MAX_SHOWN

    @property
    def missing_id(self) -> uuid.UUID | None:
        """The id in the URL, if that device isn't on the list."""
        pk = self.state.device_id
        return None if any(device.id == pk for device in self) else pk

    @property
    def is_confirming_others(self) -> bool:
        return self.state.confirm == OTHERS and self.others_count > 0

    @property
    def is_confirming_not_you(self) -> bool:
        is_open = self.state.confirm == NOT_YOU and self.others_count > 0
        return is_open and bool(self.password_change_url)

    @property
    def query(self) -> str:
        """The query that, appended to an action's URL, keeps the list's length."""
        return self.state.closed.query

    @property
    def refresh_url(self) -> str:
        """The URL of the list as it is now, for a request that the page makes itself."""
        query = self.state.query
        return f"{self.url}{query}{'&' if query else '?'}refresh=1"

    def focused(self, part: str, pk: uuid.UUID | None = None) -> DeviceList:
        """Return the list with the focus on a part of it, or of one of its devices."""
        if pk is None:
            return replace(self, focus=part)
        devices = (
            replace(device, focus=part if device.id == pk else "") for device in self
        )
        return replace(self, devices=tuple(devices))

    def focused_on_open_part(self) -> DeviceList:
        """Return the list with the focus on the open confirmation or form, or on the
        first device that "Show more" has added.
        """
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
        """Return the list with the focus on the device that took the row's place."""
        others = [device for device in self if not device.is_current]
        if not others:
            return self.focused("summary")
        row_used = last_used(row)
        later = (device for device in others if device.last_activity <= row_used)
        return self.focused("sign_out", next(later, others[-1]).id)


def get_device_list(
    request: HttpRequest,
    params: ListParams,
    *,
    url_for: URLFor,
    password_url: str = "",
    form: RenameForm | None = None,
) -> DeviceList:
    """Return the list of the request's user, with two queries.

    A third query reads the current device, or the one that ``params`` names, if it
    isn't among the first. ``form`` is shown for the device that is renamed. ``password_url``
    overrides the URL of the settings.
    """
    sessions = OwnSessions(request)
    query = params.closed.query

    def action_url(name: str, *args: object) -> str:
        return url_for(name, *args) + query

    shared = {"now": timezone.now(), "labels": Labels(), "url_for": action_url}
    rows = _read_rows(sessions, params)
    return DeviceList(
        count=sessions.admitted.count(),
        devices=tuple(
            _to_item(row, sessions, params, form=form, **shared) for row in rows
        ),
        state=params,
        url=url_for("device_list"),
        revoke_others_url=action_url("device_revoke_others"),
        password_change_url=password_url or password_change_url(),
    )


def _read_rows(sessions: OwnSessions, params: ListParams) -> list[AbstractSession]:
    rows = sessions.latest(params.shown)
    pk = params.device_id
    if pk is not None and all(row.pk != pk for row in rows):
        # Other devices have been used since, and have pushed this one off the list.
        rows += sessions.admitted.filter(pk=pk)
    return rows


def _to_item(
    row: AbstractSession,
    sessions: OwnSessions,
    params: ListParams,
    *,
    form: RenameForm | None,
    **shared: Any,
) -> DeviceItem:
    pk = str(row.pk)
    is_renaming = params.rename == pk
    return DeviceItem(
        session=row,
        is_current=row.pk == sessions.current_id,
        is_confirming=params.confirm == pk,
        is_renaming=is_renaming,
        form=(form or RenameForm({"name": row.name})) if is_renaming else None,
        proof=sessions.sign_id(row.pk),
        store=sessions.store,
        **shared,
    )


def password_change_url() -> str:
    """Return the page where users change their password; "" if the site has none."""
    names = [conf.PASSWORD_CHANGE_URL] if conf.PASSWORD_CHANGE_URL else PASSWORD_CHANGE
    for name in names:
        try:
            return resolve_url(name)
        except NoReverseMatch:
            continue
    return ""
