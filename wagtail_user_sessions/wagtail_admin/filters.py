"""Filters of the listing, and the rows that its query string selects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any

import django_filters
from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import DateRangePickerWidget, WagtailFilterSet
from wagtail.admin.forms.search import SearchForm
from wagtail.admin.utils import get_user_display_name

from wagtail_user_sessions.client.user_agent import DeviceKind
from wagtail_user_sessions.models import Session
from wagtail_user_sessions.sessions.base import AbstractSession, SessionQuerySet

from .permission_policies import manageable_users, request_user, visible_to
from .search import search
from .status import Status, filter_by_status

CLIENT_COLUMNS = ("browser", "os", "country")
# The choices of a filter come from the newest sessions.
CHOICES_FROM_ROWS = 200
MAX_USER_CHOICES = 20

Choices = Iterable[tuple[str, str]]


class OpenChoiceField(django_filters.fields.MultipleChoiceField):
    """Accepts values that aren't among its choices, which are only the likely ones."""

    def valid_value(self, value: str) -> bool:
        # PostgreSQL refuses this character.
        return "\0" not in value


class OpenChoiceFilter(django_filters.MultipleChoiceFilter):
    field_class = OpenChoiceField

    def __init__(self, **kwargs: Any) -> None:
        # Within one table no row comes twice, so DISTINCT isn't needed.
        super().__init__(distinct=False, widget=forms.CheckboxSelectMultiple, **kwargs)


class PeriodField(django_filters.fields.DateRangeField):
    """Refuses a day that is out of the range of dates in UTC, even in part."""

    def compress(self, data_list: Sequence[Any]) -> slice | None:
        period: slice | None = super().compress(data_list)
        bounds = (period.start, period.stop) if period else ()
        try:
            for bound in filter(None, bounds):
                bound.astimezone(UTC)
        except OverflowError as error:
            message = self.fields[0].error_messages["invalid"]
            raise ValidationError(message, code="invalid") from error
        return period


class PeriodFilter(django_filters.DateFromToRangeFilter):
    field_class = PeriodField


class UserField(OpenChoiceField):
    def valid_value(self, value: str) -> bool:
        return user_id_from(value) is not None


class UserFilter(OpenChoiceFilter):
    field_class = UserField


class SessionFilterSet(WagtailFilterSet):
    """Filters the listing; without a status, by active sessions of signed-in users."""

    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=Status.choices,
        empty_label=_("Any"),
        method="filter_status",
        initial=Status.ACTIVE.value,
        widget=forms.RadioSelect,
    )
    user = UserFilter(label=_("User"))
    device_kind = OpenChoiceFilter(
        label=_("Kind of device"), choices=DeviceKind.choices
    )
    browser = OpenChoiceFilter(label=_("Browser"))
    os = OpenChoiceFilter(label=_("System"))
    country = OpenChoiceFilter(label=_("Country"))
    signed_in_at = PeriodFilter(label=_("Signed in"), widget=DateRangePickerWidget)
    last_activity = PeriodFilter(label=_("Last active"), widget=DateRangePickerWidget)

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
        newest = _newest(visible_to(request_user(request)))
        users: list[Any] = [*dict.fromkeys(row.user for row in newest)]
        users = users[:MAX_USER_CHOICES]
        users += _chosen_users(data.getlist("user"), users, request)
        self._set_choices(
            "user", [(str(user.pk), get_user_display_name(user)) for user in users]
        )
        for name in CLIENT_COLUMNS:
            known = {getattr(row, name) for row in newest} | {*data.getlist(name)}
            self._set_choices(name, [(value, value) for value in sorted(known - {""})])

    def filter_status(
        self, rows: SessionQuerySet, name: str, status: str
    ) -> SessionQuerySet:
        return filter_by_status(rows, status)

    def _set_choices(self, name: str, choices: Choices) -> None:
        self.filters[name].extra["choices"] = list(choices)


def filtered_sessions(request: HttpRequest) -> SessionQuerySet:
    """Return the rows that the listing shows for the request's query string, of all
    its pages; no rows if the query is invalid.
    """
    rows = visible_to(request_user(request))
    filters = SessionFilterSet(request.GET, queryset=rows, request=request)
    form = SearchForm(request.GET)
    if not (filters.is_valid() and form.is_valid()):
        return rows.none()
    text = form.cleaned_data["q"]
    found: SessionQuerySet = filters.qs
    return search(found, text) if text else found


def user_id_from(text: str) -> Any:
    """Return the user's primary key from a part of a URL; ``None`` if it is invalid."""
    try:
        return get_user_model()._meta.pk.clean(text, None)
    except ValidationError:
        return None


def _chosen_users(
    chosen: list[str], offered: Iterable[Any], request: HttpRequest
) -> list[Any]:
    """Return the chosen users that aren't among the choices yet."""
    missing = set(chosen) - {str(user.pk) for user in offered}
    ids = [pk for pk in map(user_id_from, missing) if pk is not None]
    return (
        list(manageable_users(request_user(request)).filter(pk__in=ids)) if ids else []
    )


def _newest(rows: SessionQuerySet) -> list[AbstractSession]:
    # Visitors' rows have no sign-in time. Without this condition the database would
    # read them all before the first row of a user.
    signed_in = rows.filter(user__isnull=False, signed_in_at__isnull=False)
    signed_in = signed_in.select_related("user")
    return list(
        signed_in.only(*CLIENT_COLUMNS, "user").order_by("-signed_in_at")[
            :CHOICES_FROM_ROWS
        ]
    )
