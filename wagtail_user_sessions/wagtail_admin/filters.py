"""The filters of the listing, and the rows that an address of it names."""

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

FACTS = ("browser", "os", "country")
# Of how many sessions, the newest, users, browsers and so on are offered.
OFFERED_OF = 200
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


class PeriodField(django_filters.fields.DateRangeField):
    """Refuses a day of which part isn't in any calendar of the database's."""

    def compress(self, data_list: Sequence[Any]) -> slice | None:
        period: slice | None = super().compress(data_list)
        ends = (period.start, period.stop) if period else ()
        try:
            for moment in filter(None, ends):
                moment.astimezone(UTC)
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
        users = users[:USERS_OFFERED]
        users += _missing(data.getlist("user"), users, request)
        self._offer(
            "user", [(str(user.pk), get_user_display_name(user)) for user in users]
        )
        for name in FACTS:
            known = {getattr(row, name) for row in newest} | {*data.getlist(name)}
            self._offer(name, [(value, value) for value in sorted(known - {""})])

    def filter_status(
        self, rows: SessionQuerySet, name: str, status: str
    ) -> SessionQuerySet:
        return filter_by_status(rows, status)

    def _offer(self, name: str, choices: Choices) -> None:
        self.filters[name].extra["choices"] = list(choices)


def filtered_sessions(request: HttpRequest) -> SessionQuerySet:
    """The rows that the listing shows at an address with this query, on all its
    pages; none where the query makes no sense.
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
    """The key of a user, as an address has it; ``None`` where it can't be one."""
    try:
        return get_user_model()._meta.pk.clean(text, None)
    except ValidationError:
        return None


def _missing(
    chosen: list[str], offered: Iterable[Any], request: HttpRequest
) -> list[Any]:
    """The users that are asked for and not among those offered."""
    missing = set(chosen) - {str(user.pk) for user in offered}
    ids = [pk for pk in map(user_id_from, missing) if pk is not None]
    return (
        list(manageable_users(request_user(request)).filter(pk__in=ids)) if ids else []
    )


def _newest(rows: SessionQuerySet) -> list[AbstractSession]:
    # Visitors' rows have no date of a sign-in, and would be gone through first.
    signed_in = rows.filter(user__isnull=False, signed_in_at__isnull=False)
    signed_in = signed_in.select_related("user")
    return list(signed_in.only(*FACTS, "user").order_by("-signed_in_at")[:OFFERED_OF])
