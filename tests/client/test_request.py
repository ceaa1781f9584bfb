"""The user agent and the client hints of a request."""

import pytest
from django.test import RequestFactory

from wagtail_user_sessions.client.request import ClientHints, from_request


def read(**meta):
    return from_request(RequestFactory().get("/", **meta))


def test_user_agent_and_hints_are_read():
    found = read(
        HTTP_USER_AGENT="Mozilla/5.0",
        HTTP_SEC_CH_UA='"Brave";v="140"',
        HTTP_SEC_CH_UA_PLATFORM='"Linux"',
        HTTP_SEC_CH_UA_MOBILE="?0",
    )
    assert found.user_agent == "Mozilla/5.0"
    assert found.hints == ClientHints('"Brave";v="140"', '"Linux"', "?0")


def test_a_request_without_headers_has_neither():
    found = read()
    assert (found.user_agent, found.hints) == ("", ClientHints())


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a\x00b\x01c\x1f\x7fd", "abcd"),
        ("a\r\nSet-Cookie: b", "aSet-Cookie: b"),
        ("a\ud800\udfffb", "ab"),
        ("a\u200f\u202eb\ufeff", "ab"),
        ("caf\xe9 \x80\x9f \xff", "caf\xe9  \xff"),
        ("  padded  ", "padded"),
        ("\U0001f980", "\U0001f980"),
        ("\x00\x01", ""),
    ],
)
def test_characters_that_no_database_can_store_are_left_out(sent, kept):
    found = read(HTTP_USER_AGENT=sent, HTTP_SEC_CH_UA=sent)
    assert (found.user_agent, found.hints.brands) == (kept, kept)


def test_a_user_agent_of_100_kilobytes_is_cut_before_it_is_sanitized():
    found = read(HTTP_USER_AGENT="\x00" * 512 + "a" * 100_000)
    assert found.user_agent == ""
    assert read(HTTP_USER_AGENT="a" * 100_000).user_agent == "a" * 512


def test_a_hint_of_100_kilobytes_is_cut():
    long = "a" * 100_000
    names = ("HTTP_SEC_CH_UA", "HTTP_SEC_CH_UA_PLATFORM", "HTTP_SEC_CH_UA_MOBILE")
    hints = read(**dict.fromkeys(names, long)).hints
    assert hints == ClientHints("a" * 256, "a" * 256, "a" * 256)
