"""No header, cookie or address that a client can send causes a server error, or
a row that can't be read back.

Headers are sent as a WSGI server hands them over: bytes, decoded as Latin-1.
"""

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.test import RequestFactory
from django.test.client import ClientHandler
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from tests import geoip_database
from tests.conftest import sign_in
from wagtail_user_sessions.client.text import sanitize
from wagtail_user_sessions.models import Session

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.urls_activity"),
    pytest.mark.slow,
]

COOKIE = django_settings.SESSION_COOKIE_NAME
# Requests of one example. Those of the tests below add up to more than 10,000.
BATCH = 10


def attempts(count):
    """Settings of Hypothesis for this many requests, the same ones in each run."""
    return rules(
        max_examples=count // BATCH,
        derandomize=True,
        deadline=None,
        database=None,
        # Without shrinking, which would take minutes.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


# What a client sends


def as_wsgi(text):
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


PIECES = [
    *("\x00", "\r\n", "\t", "\x1b[31m", "\x7f", "\x85", "\xa0", "\xad", "\xff", "²"),
    *map(as_wsgi, ("\u202e", "\u200f", "\u200d", "\ufeff", "\ud800", "\udfff", "💥")),
    *map(as_wsgi, ("Ω", "ﬁ", "٣", "\U000e0001", "\u0300" * 9, "\ue000", "\uffff")),
    *("' OR 1=1 --", '"; DROP TABLE x; --', "<script>alert(1)</script>", "</td>"),
    *("${jndi:ldap://x/a}", "{{7*7}}", "{% load x %}", "%s%(x)s%n", "\\", '"', "../"),
    *(";", ",", " ", "(", ")", "/", "=", "1", "9" * 50, "a" * 50, "; " * 50, "-_." * 9),
    *("Mozilla/5.0 (", "Windows NT 10.0", "Linux; Android 10; K", "iPhone;", "bot/1"),
    *("Chrome/140.0.0.0 ", "Version/1.²", "Peapod/²", "bPod BMID/²", "; +https:"),
]
NOISE = st.one_of(
    st.binary(max_size=200).map(lambda data: data.decode("latin-1")),
    st.text(max_size=100).map(as_wsgi),
    st.lists(st.sampled_from(PIECES), max_size=30).map("".join),
)
ADDRESS = st.one_of(
    st.ip_addresses().map(str),
    st.ip_addresses(v=4).map(lambda ip: f"::ffff:{ip}"),
    st.tuples(st.ip_addresses(v=6), NOISE).map(lambda pair: "%".join(map(str, pair))),
    st.tuples(st.ip_addresses(v=6), NOISE).map(lambda pair: f"[{pair[0]}]:{pair[1]}"),
    st.tuples(st.ip_addresses(v=4), st.integers()).map(
        lambda pair: "{}:{}".format(*pair)
    ),
    NOISE,
)
FORWARDED = st.lists(ADDRESS, max_size=6).map(",".join)
HINTS = st.fixed_dictionaries(
    {
        "HTTP_SEC_CH_UA": st.one_of(
            NOISE, st.lists(NOISE, max_size=4).map('";v="1", "'.join)
        ),
        "HTTP_SEC_CH_UA_PLATFORM": NOISE,
        "HTTP_SEC_CH_UA_MOBILE": st.one_of(NOISE, st.sampled_from(["?0", "?1"])),
    }
)
KEY = st.integers(0, 5000).flatmap(
    lambda length: st.text(VALID_KEY_CHARS, min_size=1, max_size=4).map(
        lambda text: (text * length)[:length]
    )
)
COOKIES = st.one_of(
    NOISE,
    NOISE.map(lambda value: f"{COOKIE}={value}"),
    NOISE.map(lambda value: f'{COOKIE}="{value}"'),
    KEY.map(lambda key: f"{COOKIE}={key}"),
    st.lists(KEY, max_size=3).map(lambda keys: f";{COOKIE}=".join(["", *keys])),
    st.lists(NOISE, max_size=20).map("=;".join),
    st.sampled_from([f'{COOKIE}="\\303\\050"', f"{COOKIE}", f"{COOKIE}==", "=" * 999]),
)


# The site, and its rows


@pytest.fixture
def site(settings, tmp_path, engine):
    """A site that stores the client of each request."""
    settings.WAGTAIL_USER_SESSIONS_ACTIVITY_INTERVAL = 0
    settings.WAGTAIL_USER_SESSIONS_TRUSTED_PROXIES = ["unix", "10.0.0.0/8"]
    settings.GEOIP_PATH = geoip_database.write(tmp_path / "places.mmdb")
    handler = ClientHandler(enforce_csrf_checks=False)

    def get(path="/whoami/", **meta):
        environ = RequestFactory()._base_environ(PATH_INFO=path, **meta)
        response = handler(environ)
        assert response.status_code == 200
        return response

    return get


@pytest.fixture
def signed_in(site, store, alice):
    """Makes requests of alice's session, and checks that each is alice's."""
    cookie = f"{COOKIE}={sign_in(store, alice).session_key}"

    def get(**meta):
        assert site(HTTP_COOKIE=cookie, **meta).content == b"alice"

    return get


UNCHECKED = ["key_hash", "session_data", "auth_digest"]


def read_back():
    """Return all rows, after a check of the values that pages use."""
    rows = list(Session.objects.select_related("user"))
    for row in rows:
        row.clean_fields(
            exclude=[*UNCHECKED, *(k for k, v in vars(row).items() if v is None)]
        )
        assert row.is_active
        assert row.get_decoded()
        assert str(row).isprintable()
        assert row.user_agent.isprintable()
    return rows


only_db = pytest.mark.parametrize("engine", ["db"], indirect=True)


@only_db
@attempts(1500)
@given(agents=st.lists(NOISE, min_size=BATCH, max_size=BATCH))
def test_no_user_agent_breaks_a_page_or_a_row(signed_in, agents):
    for agent in agents:
        signed_in(HTTP_USER_AGENT=agent)
        (row,) = read_back()
        assert row.user_agent == sanitize(agent, limit=512)


@only_db
@attempts(1500)
@given(
    requests=st.lists(
        st.tuples(st.one_of(st.sampled_from(["", "10.0.0.1"]), ADDRESS), FORWARDED),
        min_size=BATCH,
        max_size=BATCH,
    )
)
def test_no_address_breaks_a_page_or_a_row(signed_in, requests):
    for peer, forwarded_for in requests:
        signed_in(REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded_for)
    read_back()


@only_db
@attempts(1000)
@given(hints=st.lists(HINTS, min_size=BATCH, max_size=BATCH))
def test_no_client_hint_breaks_a_page_or_a_row(signed_in, hints):
    for number, hint in enumerate(hints):
        signed_in(HTTP_USER_AGENT=f"Agent {number}", **hint)
        read_back()


@attempts(2700)
@given(cookies=st.lists(COOKIES, min_size=BATCH, max_size=BATCH))
def test_no_cookie_breaks_a_page_or_makes_a_row(site, cookies):
    for cookie in cookies:
        assert site(HTTP_COOKIE=cookie).content == b"nobody"
    assert not Session.objects.exists()


@only_db
@attempts(300)
@given(cookies=st.lists(COOKIES, min_size=BATCH, max_size=BATCH))
def test_a_page_that_writes_makes_a_row_of_its_own_beside_a_forged_cookie(
    site, cookies
):
    for cookie in cookies:
        response = site("/change/", HTTP_COOKIE=cookie)
        key = response.cookies[COOKIE].value
        assert len(key) == 32
        assert key not in cookie
        assert Session.objects.for_key(key).count() == 1
    assert Session.objects.count() == len(read_back()) == len(cookies)
    Session.objects.all().delete()


@only_db
@attempts(600)
@given(
    data=st.lists(
        st.tuples(NOISE, FORWARDED, HINTS, COOKIES), min_size=BATCH, max_size=BATCH
    )
)
def test_everything_at_once_breaks_no_sign_in(site, store, alice, data):
    for agent, forwarded_for, hints, cookie in data:
        meta = {
            "REMOTE_ADDR": "10.0.0.1",
            "HTTP_USER_AGENT": agent,
            "HTTP_X_FORWARDED_FOR": forwarded_for,
            "HTTP_COOKIE": cookie,
            **hints,
        }
        assert site("/enter/", **meta).content == b"alice"
    rows = read_back()
    assert len(rows) == len(data)
    Session.objects.all().delete()


@only_db
@rules(attempts(20 * BATCH), max_examples=20)
@given(noise=NOISE, size=st.sampled_from([8_000, 100_000, 1_000_000]))
def test_a_header_of_any_size_breaks_nothing(signed_in, site, noise, size):
    huge = (noise or "x") * (size // max(len(noise), 1))
    signed_in(HTTP_USER_AGENT=huge, HTTP_SEC_CH_UA=huge)
    signed_in(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=huge)
    signed_in(REMOTE_ADDR="", HTTP_X_FORWARDED_FOR=f"{huge},")
    read_back()
    assert site(HTTP_COOKIE=f"{COOKIE}={huge}").content == b"nobody"


@pytest.mark.parametrize("length", [*range(1, 70), 255, 256, 4096])
@only_db
def test_a_key_of_any_length_opens_nothing_but_its_own_session(
    site, store, alice, length
):
    key = sign_in(store, alice).session_key
    forged = (key * 200)[:length]
    expected = b"alice" if forged == key else b"nobody"
    assert site(HTTP_COOKIE=f"{COOKIE}={forged}").content == expected
    assert Session.objects.count() == 1
