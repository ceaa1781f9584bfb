"""The IP address of a client: behind proxies, or by a site's function."""

import ipaddress

import pytest
from django.test import RequestFactory

from wagtail_user_sessions.client import proxies
from wagtail_user_sessions.client.request import Client, from_request

PROXIES = ["10.0.0.0/8", "2001:db8:1::/48"]


def read(**meta):
    return from_request(RequestFactory().get("/", **meta))


def address(peer="10.0.0.1", forwarded_for=None):
    meta = {"REMOTE_ADDR": peer}
    if forwarded_for is not None:
        meta["HTTP_X_FORWARDED_FOR"] = forwarded_for
    ip = read(**meta).ip
    return None if ip is None else str(ip)


@pytest.fixture
def trust(settings):
    def trust(*names):
        settings.WAGTAIL_USER_SESSIONS_TRUSTED_PROXIES = list(names)

    return trust


@pytest.fixture(autouse=True)
def nothing_logged(monkeypatch):
    monkeypatch.setattr(proxies, "_logged", set())


# Without a proxy


def test_the_peer_is_the_client():
    assert read(REMOTE_ADDR="192.0.2.1").ip == ipaddress.ip_address("192.0.2.1")
    assert address("2001:DB8::1") == "2001:db8::1"


def test_the_header_of_a_peer_that_is_no_proxy_is_ignored(trust):
    assert address("192.0.2.1", "198.51.100.1") == "192.0.2.1"
    trust(*PROXIES)
    assert address("192.0.2.1", "198.51.100.1") == "192.0.2.1"


@pytest.mark.parametrize("peer", ["", None, "unknown", "localhost", "192.0.2.256"])
def test_a_peer_without_an_address_is_unknown(peer):
    assert address(peer, "198.51.100.1") is None


def test_a_request_without_a_peer_is_unknown():
    request = RequestFactory().get("/")
    del request.META["REMOTE_ADDR"]
    assert from_request(request) == Client()


# Behind proxies


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        # One proxy, which appends the address that it was called from.
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("2001:db8:1::1", "198.51.100.1", "198.51.100.1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        # A chain of them.
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, 2001:db8:1::2, 10.0.0.2", "198.51.100.1"),
        # Joined of several headers, with spaces and empty entries.
        ("10.0.0.1", "203.0.113.9,198.51.100.1,10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "  198.51.100.1  ,, \t , 10.0.0.2 ,", "198.51.100.1"),
        # With ports, as some proxies write them.
        ("10.0.0.1", "198.51.100.1:50123", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::7]:50123, 10.0.0.2:443", "2001:db8::7"),
    ],
)
def test_the_client_of_a_proxy_is_the_first_untrusted_address_from_the_right(
    trust, peer, forwarded_for, expected
):
    trust(*PROXIES)
    assert address(peer, forwarded_for) == expected


def test_an_entry_left_of_the_first_untrusted_proxy_is_never_believed(trust):
    trust(*PROXIES)
    for claim in ("203.0.113.9", "10.0.0.9", "127.0.0.1", "unknown", "x" * 9999):
        assert address("10.0.0.1", f"{claim}, 198.51.100.1") == "198.51.100.1"
        assert address("10.0.0.1", f"{claim}, 198.51.100.1, 10.2.3.4") == "198.51.100.1"


def test_a_client_that_a_proxy_calls_unknown_is_unknown(trust):
    trust(*PROXIES)
    assert address("10.0.0.1", "203.0.113.9, unknown") is None
    assert address("10.0.0.1", "203.0.113.9, _hidden, 10.0.0.2") is None


def test_where_all_hops_are_trusted_the_leftmost_is_the_client(trust):
    trust(*PROXIES)
    assert address("10.0.0.1", "10.0.0.3, 10.0.0.2") == "10.0.0.3"


@pytest.mark.parametrize("forwarded_for", [None, "", " , ,"])
def test_a_proxy_that_forwards_no_address_is_the_client(trust, forwarded_for):
    trust(*PROXIES)
    assert address("10.0.0.1", forwarded_for) == "10.0.0.1"


def test_a_network_of_mapped_addresses_is_that_of_ipv4(trust):
    trust("::ffff:10.0.0.0/104")
    assert address("10.0.0.1", "198.51.100.1") == "198.51.100.1"
    assert address("192.0.2.1", "198.51.100.1") == "192.0.2.1"


def test_text_that_is_no_network_is_not_trusted(trust):
    trust("everything", "10.0.0.0/99", "10.0.0.1/8")
    assert address("192.0.2.1", "198.51.100.1") == "192.0.2.1"
    assert address("10.0.0.1", "198.51.100.1") == "198.51.100.1"


# Behind a Unix socket


@pytest.mark.parametrize(
    "peer", ["", None, "unix:", "unix", "unix:/run/nginx.sock", "@", "localhost"]
)
def test_a_proxy_on_a_unix_socket_is_trusted_by_the_word_unix(trust, peer):
    trust("unix")
    assert address(peer, "203.0.113.9, 198.51.100.1") == "198.51.100.1"
    assert address(peer) is None


def test_a_proxy_on_a_unix_socket_is_trusted_where_the_peer_is_missing(trust):
    trust("unix", *PROXIES)
    request = RequestFactory().get("/", HTTP_X_FORWARDED_FOR="198.51.100.1, 10.0.0.2")
    del request.META["REMOTE_ADDR"]
    assert str(from_request(request).ip) == "198.51.100.1"


def test_the_word_unix_trusts_no_peer_with_an_address(trust):
    trust("unix")
    assert address("192.0.2.1", "198.51.100.1") == "192.0.2.1"
    assert address("garbage", "198.51.100.1") is None


@pytest.mark.parametrize("peer", ["", "unix:", "10.0.0.1"])
@pytest.mark.parametrize("socket", ["unix:", "unix", " unix:/run/nginx.sock "])
def test_a_unix_socket_in_the_chain_is_trusted_by_the_word_unix(trust, peer, socket):
    trust("unix", "127.0.0.1", *PROXIES)
    chain = f"203.0.113.77, 127.0.0.1, {socket}"
    assert address(peer, chain) == "203.0.113.77"
    assert address(peer, f"198.51.100.9, {chain}") == "203.0.113.77"
    assert address(peer, f"{socket}, 10.0.0.2") is None


def test_a_unix_socket_in_the_chain_is_unknown_where_it_isnt_trusted(trust):
    trust(*PROXIES)
    assert address("10.0.0.1", "203.0.113.77, unix:") is None


def test_a_unix_socket_that_a_client_claims_is_never_believed(trust):
    trust("unix")
    assert address("", "198.51.100.9, unix:, 203.0.113.77") == "203.0.113.77"


# Wrong settings


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded_for", "said"),
    [
        ([], "127.0.0.1", "203.0.113.77", "127.0.0.1, sends X-Forwarded-For"),
        ([], "10.0.0.1", "203.0.113.77", "10.0.0.1, sends X-Forwarded-For"),
        ([], "fd00::1", "203.0.113.77", "fd00::1, sends X-Forwarded-For"),
        (["10.0.0.1"], "10.0.0.2", "203.0.113.77", "10.0.0.2, sends"),
        (["10.0.0.1"], "10.0.0.1", "203.0.113.77, 10.9.9.9", "10.9.9.9, sends"),
        ([], "100.64.3.7", "203.0.113.77", "100.64.3.7, sends"),
        ([], "", "203.0.113.77", "Unix socket"),
        (["127.0.0.1"], "unix:", None, "Unix socket"),
        (PROXIES, "10.0.0.1", None, "has sent no X-Forwarded-For"),
        (PROXIES, "10.0.0.1", "203.0.113.77, unknown", "no address"),
        (PROXIES, "10.0.0.1", "203.0.113.77, unix:", "Unix socket"),
    ],
)
def test_a_wrong_setting_is_logged_once(
    trust, caplog, trusted, peer, forwarded_for, said
):
    trust(*trusted)
    for _ in range(3):
        address(peer, forwarded_for)
    (record,) = caplog.records
    assert said in record.getMessage()
    assert "203.0.113.77" not in record.getMessage()


@pytest.mark.parametrize(
    ("peer", "forwarded_for"),
    [
        ("203.0.113.77", None),
        # A client may send the header.
        ("8.8.8.8", "203.0.113.77"),
        ("127.0.0.1", None),
        # A client of the site's own network.
        ("10.0.0.1", "192.168.7.7"),
        ("10.0.0.1", "203.0.113.77"),
        ("10.0.0.1", "203.0.113.77, 10.0.0.2"),
        ("garbage", "203.0.113.77"),
    ],
)
def test_right_settings_are_logged_nowhere(trust, caplog, peer, forwarded_for):
    trust(*PROXIES)
    address(peer, forwarded_for)
    assert not caplog.records


# By a function of the site's own


def real_ip(request):
    return request.META.get("HTTP_X_REAL_IP")


def parsed_ip(request):
    return ipaddress.ip_address("2001:db8::7")


def failing(request):
    raise KeyError("no such header")


@pytest.fixture
def use(settings):
    def use(function):
        name = getattr(function, "__name__", function)
        settings.WAGTAIL_USER_SESSIONS_CLIENT_IP = f"{__name__}.{name}"

    return use


def test_a_function_of_the_site_finds_the_address(use, trust):
    trust(*PROXIES)
    use(real_ip)
    meta = {"HTTP_X_REAL_IP": "192.0.2.7", "HTTP_X_FORWARDED_FOR": "198.51.100.1"}
    assert str(read(REMOTE_ADDR="10.0.0.1", **meta).ip) == "192.0.2.7"
    use(parsed_ip)
    assert address() == "2001:db8::7"


@pytest.mark.parametrize("answer", [None, "", "garbage", "\x00", "1" * 10_000])
def test_a_function_that_finds_none_leaves_the_address_unknown(use, answer):
    use(real_ip)
    assert read(REMOTE_ADDR="192.0.2.1", HTTP_X_REAL_IP=answer).ip is None


@pytest.mark.parametrize("function", [failing, "no_such_function"])
def test_a_function_that_fails_is_logged_and_fails_no_request(use, caplog, function):
    use(function)
    assert address("192.0.2.1") is None
    assert len(caplog.records) == 1


def test_only_the_end_of_a_long_header_is_parsed(trust, monkeypatch):
    trust(*PROXIES)
    seen = []

    def parse_ip(text):
        seen.append(text)
        return original(text)

    original = proxies.parse_ip
    monkeypatch.setattr(proxies, "parse_ip", parse_ip)
    assert address("10.0.0.1", "10.0.0.2," * 120_000) is None
    assert sum(map(len, seen)) <= proxies.FORWARDED_LIMIT + len("10.0.0.1")


def test_an_address_that_was_cut_is_no_address(trust):
    trust(*PROXIES)
    rest = "10.0.0.2".rjust(proxies.FORWARDED_LIMIT - len("10.0.0.9"), ",")
    assert address("10.0.0.1", f"10.0.0.9{rest}") == "10.0.0.9"
    assert address("10.0.0.1", f"110.0.0.9{rest}") is None
