"""IP addresses, parsed from text."""

import pytest

from wagtail_user_sessions.client import ip_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1\t", "192.0.2.1"),
        ("192.0.2.1:1234", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ('"[2001:db8::1]:443"', "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:80", "192.0.2.1"),
        ("::1", "::1"),
    ],
)
def test_an_address_loses_its_port_its_zone_and_its_mapping(text, expected):
    assert str(ip_address.parse_ip(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "unknown", "_secret", "localhost", "192.0.2", "192.0.2.1.1"),
        *("192.0.2.256", "192.0.2.01", "1", "0x7f000001", "192.0.2.1/24", "::g"),
        *("1:2:3:4:5:6:7:8:9", "::1::2", "[", "[]:80", ":80", "%eth0", "١٩٢.0.2.1"),
        *("192.0.2.1\x00", "\x00192.0.2.1", "192.0.\r\n2.1", "\ud800", "é", "²"),
        *("1" * 65, "192.0.2.1" + " " * 100, None, b"192.0.2.1", 3221225985),
    ],
)
def test_parse_ip_is_none_for_what_is_no_address(text):
    assert ip_address.parse_ip(text) is None
