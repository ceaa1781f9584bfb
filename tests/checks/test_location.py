"""Check of the GeoIP database."""

import pytest

from tests import geoip_database
from tests.checks.messages import run


def write_database(path, kind="GeoLite2-City", record=None):
    records = {"192.0.2.0/24": record or {"country": {"iso_code": "NL"}}}
    geoip_database.write_records(path, records, kind=kind)


def test_a_geoip_database_is_fine_as_a_file_and_in_a_folder(settings, tmp_path):
    path = tmp_path / "GeoLite2-City.mmdb"
    write_database(path)
    for settings.GEOIP_PATH in (tmp_path, str(tmp_path), path, str(path)):
        assert run() == {}


def test_a_geoip_path_without_a_database_is_a_warning(settings, tmp_path):
    for settings.GEOIP_PATH in (tmp_path, str(tmp_path / "missing")):
        messages = run()
        assert messages.keys() == {"W008"}
        assert str(settings.GEOIP_PATH) in messages["W008"].msg


def test_a_geoip_database_that_can_not_be_opened_is_a_warning(settings, tmp_path):
    settings.GEOIP_PATH = tmp_path / "GeoLite2-City.mmdb"
    settings.GEOIP_PATH.write_bytes(b"no database")
    assert run().keys() == {"W009"}


@pytest.mark.parametrize("kind", ["GeoLite2-ASN", "GeoIP2-ISP", "DBIP-ASN-Lite"])
def test_a_database_without_places_is_a_warning_that_names_its_edition(
    settings, tmp_path, kind
):
    settings.GEOIP_PATH = tmp_path / "GeoLite2-City.mmdb"
    record = {"autonomous_system_number": 64496}
    write_database(settings.GEOIP_PATH, kind=kind, record=record)
    messages = run()
    assert messages.keys() == {"W009"}
    assert kind in messages["W009"].msg
    assert "GeoLite2-City" in messages["W009"].hint


@pytest.mark.parametrize("kind", ["GeoIP2-City-Europe", "DBIP-Location", "ipinfo lite"])
def test_a_database_of_another_edition_with_places_is_fine(settings, tmp_path, kind):
    settings.GEOIP_PATH = tmp_path / "GeoLite2-City.mmdb"
    write_database(settings.GEOIP_PATH, kind=kind)
    assert run() == {}


def test_a_site_without_locations_needs_no_geoip_database(settings, tmp_path):
    settings.GEOIP_PATH = tmp_path
    settings.WAGTAIL_USER_SESSIONS_LOCATION = False
    assert run() == {}
