import pytest
from django.http import QueryDict

from wagtail_user_sessions.devices_page.list_params import (
    MAX_SHOWN,
    MORE,
    SHOWN_AT_FIRST,
    ListParams,
)

PK = "1a87f768-d46f-4124-b27c-e68b83d7590e"


def state(query):
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
def test_a_list_is_as_long_as_its_address_says_within_limits(query, shown):
    assert state(query).shown == shown


@pytest.mark.parametrize(
    "query", ["", "?shown=50", "?confirm=others", f"?shown=50&rename={PK}"]
)
def test_the_query_of_a_state_leads_back_to_it(query):
    assert state(query.lstrip("?")).query == query


def test_an_id_is_understood_however_it_is_written():
    assert state(f"confirm={{{PK.upper()}}}").confirm == PK
    assert str(state(f"rename={PK.replace('-', '')}").device_id) == PK
    assert state("confirm=others").device_id is None


@pytest.mark.parametrize("query", ["confirm=x", "rename=x", "rename=others"])
def test_what_is_no_id_is_left_out(query):
    assert state(query) == ListParams()


def test_a_closed_list_keeps_its_length_alone():
    assert state(f"shown=50&confirm=others&rename={PK}").closed.query == "?shown=50"
    assert state("confirm=others").closed.query == ""


def test_show_more_adds_devices_up_to_the_limit():
    assert state("").shown_with_more == SHOWN_AT_FIRST + MORE
    assert state(f"shown={MAX_SHOWN}").shown_with_more == MAX_SHOWN
