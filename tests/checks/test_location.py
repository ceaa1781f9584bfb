"""Check of the GeoIP database."""

from mmdb_writer import MMDBWriter
from netaddr import IPSet

from tests.checks.messages import run


def write_database(path, kind="GeoLite2-City"):
    writer = MMDBWriter(4, database_type=kind)
    writer.insert_network(IPSet(["192.0.2.0/24"]), {"country": {"iso_code": "NL"}})
    writer.to_db_file(str(path))


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
    write_database(settings.GEOIP_PATH, kind="GeoLite2-ASN")
    assert run().keys() == {"W009"}


def test_a_site_without_locations_needs_no_geoip_database(settings, tmp_path):
    settings.GEOIP_PATH = tmp_path
    settings.WAGTAIL_USER_SESSIONS_LOCATION = False
    assert run() == {}
