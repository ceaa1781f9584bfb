"""The filters of the listing, and the rows that an address of it names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import django_filters
from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import DateRangePickerWidget, WagtailFilterSet
from wagtail.admin.forms.search import SearchForm
from wagtail.admin.utils import get_user_display_name

from wagtail_user_sessions.devices import Kind
from wagtail_user_sessions.models import Session, SessionQuerySet

from .permissions import manageable_users, visible_to, who_asks
from .searching import search
from .statuses import Status, having

FACTS = ("browser", "os", "country")
# Of how many sessions, the last ones signed in, browsers and so on are offered.
FACTS_OF = 10_000
# How many users are offered: those who have signed in last.
USERS_OFFERED = 20

Choices = Iterable[tuple[str, str]]


class OpenChoiceField(django_filters.fields.MultipleChoiceField):
    """Takes what it doesn't offer, too: it offers only what is likely."""

    def valid_value(self, value: str) -> bool:
        # Which PostgreSQL refuses.
        return "\0" not in value


class OpenChoiceFilter(django_filters.MultipleChoiceFilter):
    field_class = OpenChoiceField

    def __init__(self, **kwargs: Any) -> None:
        # Without DISTINCT, for which there is no reason in one table.
        super().__init__(distinct=False, widget=forms.CheckboxSelectMultiple, **kwargs)


class UserField(OpenChoiceField):
    def valid_value(self, value: str) -> bool:
        return user_id_from(value) is not None


class UserFilter(OpenChoiceFilter):
    field_class = UserField


class SessionFilterSet(WagtailFilterSet):
    """Shows the active sessions of signed-in users unless it is told otherwise."""

    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=Status.choices,
        empty_label=_("Any"),
        method="filter_status",
        initial=Status.ACTIVE.value,
        widget=forms.RadioSelect,
    )
    user = UserFilter(label=_("User"))
    device_kind = OpenChoiceFilter(label=_("Kind of device"), choices=Kind.choices)
    browser = OpenChoiceFilter(label=_("Browser"))
    os = OpenChoiceFilter(label=_("System"))
    country = OpenChoiceFilter(label=_("Country"))
    signed_in_at = django_filters.DateFromToRangeFilter(
        label=_("Signed in"), widget=DateRangePickerWidget
    )
    last_activity = django_filters.DateFromToRangeFilter(
        label=_("Last active"), widget=DateRangePickerWidget
    )

    class Meta:
        model = Session
        fields = ()

    def __init__(
        self,
        data: QueryDict | None = None,
        *args: Any,
        request: HttpRequest,
        **kwargs: Any,
    ) -> None:
        data = QueryDict(mutable=True) if data is None else data.copy()
        data.setdefault("status", Status.ACTIVE.value)
        super().__init__(data, *args, request=request, **kwargs)
        self._offer("user", _users(request, data.getlist("user")))
        facts = _facts(visible_to(who_asks(request)))
        for position, name in enumerate(FACTS):
            known = {row[position] for row in facts} | {*data.getlist(name)}
            self._offer(name, [(value, value) for value in sorted(known - {""})])

    def filter_status(
        self, rows: SessionQuerySet, name: str, status: str
    ) -> SessionQuerySet:
        return having(rows, status)

    def _offer(self, name: str, choices: Choices) -> None:
        self.filters[name].extra["choices"] = list(choices)


def find(request: HttpRequest) -> SessionQuerySet:
    """The rows that the listing shows at an address with this query, on all its
    pages; none where the query makes no sense.
    """
    rows = visible_to(who_asks(request))
    filters = SessionFilterSet(request.GET, queryset=rows, request=request)
    form = SearchForm(request.GET)
    if not (filters.is_valid() and form.is_valid()):
        return rows.none()
    text = form.cleaned_data["q"]
    found: SessionQuerySet = filters.qs
    return search(found, text) if text else found


def user_id_from(text: str) -> Any:
    """The key of a user, as an address has it; ``None`` where it can't be one."""
    try:
        return get_user_model()._meta.pk.clean(text, None)
    except ValidationError:
        return None


def _users(request: HttpRequest, chosen: list[str]) -> list[tuple[str, str]]:
    users = manageable_users(who_asks(request))
    columns = {field.name for field in users.model._meta.concrete_fields}
    if "last_login" in columns:
        users = users.order_by(models.F("last_login").desc(nulls_last=True), "pk")
    offered = list(users[:USERS_OFFERED])
    missing = set(chosen) - {str(user.pk) for user in offered}
    ids = [pk for pk in map(user_id_from, missing) if pk is not None]
    if ids:
        offered += users.filter(pk__in=ids)
    return [(str(user.pk), get_user_display_name(user)) for user in offered]


def _facts(rows: SessionQuerySet) -> set[tuple[str, str, str]]:
    newest = rows.filter(user__isnull=False).order_by("-signed_in_at")
    return set(newest.values_list(*FACTS)[:FACTS_OF])
