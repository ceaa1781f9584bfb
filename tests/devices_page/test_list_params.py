import pytest
from django.http import QueryDict

from wagtail_user_sessions.devices_page.list_params import (
    MAX_SHOWN,
    MORE,
    SHOWN_AT_FIRST,
    ListParams,
)

PK = "1a87f768-d46f-4124-b27c-e68b83d7590e"


def params(query):
    return ListParams.from_query(QueryDict(query))


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", SHOWN_AT_FIRST),
        ("shown=50", 50),
        ("more=50", 50),
        ("shown=75&more=50", 75),
        ("shown=1", SHOWN_AT_FIRST),
        ("shown=-50", SHOWN_AT_FIRST),
        ("shown=5000", MAX_SHOWN),
        ("shown=99999999999999999999", SHOWN_AT_FIRST),
        ("shown=²", SHOWN_AT_FIRST),
        ("shown=\u0665\u0660", SHOWN_AT_FIRST),
        ("shown=x", SHOWN_AT_FIRST),
        ("shown=&more=", SHOWN_AT_FIRST),
    ],
)
def test_from_query_keeps_the_number_shown_within_limits(query, shown):
    assert params(query).shown == shown


@pytest.mark.parametrize(
    "query", ["", "?shown=50", "?confirm=others", f"?shown=50&rename={PK}"]
)
def test_query_is_the_inverse_of_from_query(query):
    assert params(query.lstrip("?")).query == query


def test_from_query_reads_an_id_in_each_notation():
    assert params(f"confirm={{{PK.upper()}}}").confirm == PK
    assert str(params(f"rename={PK.replace('-', '')}").device_id) == PK
    assert params("confirm=others").device_id is None


@pytest.mark.parametrize("query", ["confirm=x", "rename=x", "rename=others"])
def test_from_query_ignores_an_invalid_id(query):
    assert params(query) == ListParams()


def test_closed_keeps_the_number_shown_only():
    assert params(f"shown=50&confirm=others&rename={PK}").closed.query == "?shown=50"
    assert params("confirm=others").closed.query == ""


def test_show_more_adds_devices_up_to_the_limit():
    assert params("").shown_with_more == SHOWN_AT_FIRST + MORE
    assert params(f"shown={MAX_SHOWN}").shown_with_more == MAX_SHOWN
