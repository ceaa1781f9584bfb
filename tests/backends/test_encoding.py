"""What a store decodes, and says of encoded data."""

from datetime import UTC, datetime

import pytest

NO_EXPIRY = object()


def session_with(store, expiry):
    session = store()
    session["value"] = 1
    if expiry is not NO_EXPIRY:
        session.set_expiry(expiry)
    return session


@pytest.mark.parametrize("is_default", [True, False])
@pytest.mark.parametrize(
    "expiry",
    [
        pytest.param(NO_EXPIRY, id="none"),
        pytest.param(0, id="zero"),
        pytest.param(3600, id="number"),
        pytest.param(datetime(2999, 1, 1, tzinfo=UTC), id="date"),
    ],
)
def test_ends_with_browser_answers_as_djangos_method(
    store, settings, expiry, is_default
):
    settings.SESSION_EXPIRE_AT_BROWSER_CLOSE = is_default
    session = session_with(store, expiry)
    text = session.encode(dict(session.items()))
    expected = is_default if expiry is NO_EXPIRY else expiry == 0
    assert session.get_expire_at_browser_close() is expected
    assert store().ends_with_browser(text) is expected


@pytest.mark.parametrize("value", [True, False])
def test_ends_with_browser_calls_an_override_of_a_site_engine(store, settings, value):
    class SitesOwn(store):
        def get_expire_at_browser_close(self):
            return self["is_public_computer"]

    settings.SESSION_EXPIRE_AT_BROWSER_CLOSE = not value
    session = SitesOwn()
    session["is_public_computer"] = value
    text = session.encode(dict(session.items()))
    assert session.get_expire_at_browser_close() is value
    assert SitesOwn().ends_with_browser(text) is value
