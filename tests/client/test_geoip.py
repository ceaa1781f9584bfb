"""The place of an address, by a database that may be missing, broken or replaced."""

import os
from ipaddress import ip_address

import pytest

from tests import geoip_database
from wagtail_user_sessions.client import geoip
from wagtail_user_sessions.client.geoip import locate
from wagtail_user_sessions.client.location import Location, read_location

ZURICH = Location("Zürich", "CH")
NOWHERE = Location()


@pytest.fixture(autouse=True)
def new_reader(monkeypatch):
    monkeypatch.setattr(geoip, "_reader", geoip.ReloadingReader())


@pytest.fixture
def database(settings, tmp_path):
    settings.GEOIP_PATH = geoip_database.write(tmp_path / "places.mmdb")
    return settings.GEOIP_PATH


def at(text="192.0.2.1"):
    return locate(ip_address(text))


@pytest.fixture
def opened(monkeypatch):
    """The files that were opened, in order."""
    paths = []

    def open_counted(path):
        paths.append(path)
        return open_database(path)

    open_database = geoip.open_database
    monkeypatch.setattr(geoip, "open_database", open_counted)
    return paths


@pytest.fixture(params=["small", "large"])
def size(request, monkeypatch):
    """Has files read into memory, or at each look-up as large ones are."""
    if request.param == "large":
        monkeypatch.setattr(geoip, "READ_LIMIT", 0)
    return request.param


# Places


@pytest.mark.parametrize(
    ("ip", "expected"),
    [
        ("192.0.2.1", ZURICH),
        ("198.51.100.200", Location("Lisbon", "PT")),
        ("2001:db8::7", Location("Kyoto", "JP")),
    ],
)
def test_a_city_database_gives_city_and_country(database, ip, expected):
    assert at(ip) == expected


def test_a_country_database_gives_the_country_alone(settings, tmp_path):
    settings.GEOIP_PATH = geoip_database.write(
        tmp_path / "c.mmdb", kind=geoip_database.COUNTRY
    )
    assert at() == Location("", "CH")


@pytest.mark.parametrize(
    "ip", ["203.0.113.1", "10.0.0.1", "127.0.0.1", "::1", "fe80::1", "fd00::1"]
)
def test_an_address_that_is_private_or_not_in_the_database_has_no_place(
    database, caplog, ip
):
    assert at(ip) == NOWHERE
    assert not caplog.records


def test_no_address_has_no_place(database):
    assert locate(None) == NOWHERE


def test_a_database_of_ipv4_alone_serves_on_after_an_ipv6_address(
    settings, tmp_path, caplog
):
    places = {"192.0.2.0/24": ("Zürich", "CH")}
    path = geoip_database.write(tmp_path / "4.mmdb", places=places, ip_version=4)
    settings.GEOIP_PATH = path
    assert [at("2001:db8::7"), at()] == [NOWHERE, ZURICH]
    assert not caplog.records


@pytest.mark.parametrize("code", ["", "ch", "C", "CHE", "A1", "C\n", "ÇH", "<>"])
def test_a_code_that_is_not_two_letters_of_iso_3166_is_ignored(
    settings, tmp_path, code
):
    places = {"192.0.2.0/24": ("Zürich", code)}
    settings.GEOIP_PATH = geoip_database.write(tmp_path / "c.mmdb", places=places)
    assert at() == Location("Zürich", "")


@pytest.mark.parametrize(
    ("name", "kept"),
    [("", ""), ("\x00Zü\nrich\u202e ", "Zürich"), ("x" * 999, "x" * 128)],
)
def test_a_citys_name_is_sanitized(settings, tmp_path, name, kept):
    places = {"192.0.2.0/24": (name, "CH")}
    settings.GEOIP_PATH = geoip_database.write(tmp_path / "c.mmdb", places=places)
    assert at() == Location(kept, "CH")


def test_a_record_without_names_has_no_place(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(geoip_database, "record", lambda *_: {"registered_country": {}})
    settings.GEOIP_PATH = geoip_database.write(tmp_path / "c.mmdb")
    assert at() == NOWHERE


# Editions and forms of records

NESTED = {
    "city": {"names": {"en": "Zurich", "de": "Zürich"}},
    "country": {"iso_code": "CH"},
}


@pytest.mark.parametrize(
    "edition",
    [
        *("GeoLite2-City", "GeoIP2-City", "GeoIP2-City-Europe", "GeoIP2-Enterprise"),
        *("GeoIP2-City-North-America", "GeoIP2-Precision-Enterprise"),
        *("DBIP-City", "DBIP-City-Lite", "DBIP-Location (compat=City)"),
        *("DBIP-Location-ISP (compat=Enterprise)", "IP2LITE-City", "Of our own"),
    ],
)
def test_a_database_of_any_edition_with_places_is_read(settings, tmp_path, edition):
    path = tmp_path / "places.mmdb"
    geoip_database.write_records(path, {"192.0.2.0/24": NESTED}, kind=edition)
    settings.GEOIP_PATH = path
    assert at() == Location("Zurich", "CH")


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (NESTED, Location("Zurich", "CH")),
        # IPinfo: Lite, and those with cities.
        ({"country": "Switzerland", "country_code": "CH"}, Location("", "CH")),
        ({"city": "Bern", "country": "CH", "region": "Bern"}, Location("Bern", "CH")),
        ({"country": "CH", "country_name": "Switzerland"}, Location("", "CH")),
        # IP2Location, and its sign for what isn't known.
        ({"city_name": "Bern", "country_code": "CH"}, Location("Bern", "CH")),
        ({"city": {"names": {"en": "-"}}, "country": {"iso_code": "-"}}, NOWHERE),
        ({"registered_country": {"iso_code": "CH"}}, Location("", "CH")),
        ({"represented_country": {"iso_code": "US"}}, Location("", "US")),
        (
            {
                "country": {"iso_code": "DE"},
                "registered_country": {"iso_code": "US"},
            },
            Location("", "DE"),
        ),
        ({"country": {"iso_code": "XK"}}, Location("", "XK")),
        ({"country": {"iso_code": "ZZ"}}, NOWHERE),
        ({"city": {"names": {"de": "Genf", "fr": "Genève"}}}, Location("Genf", "")),
        ({"city": {"names": {}}, "country": {}}, NOWHERE),
        ({"city": {"geoname_id": 7}, "country": None}, NOWHERE),
        ({"city": None, "country": {"iso_code": 7}}, NOWHERE),
        ([], NOWHERE),
        (None, NOWHERE),
    ],
)
def test_read_location_reads_records_of_each_form(record, expected):
    assert read_location(record) == expected


@pytest.mark.parametrize(
    ("language", "city"), [("fr-ch", "Genève"), ("pt-BR", "Genebra"), ("nl", "Genf")]
)
def test_a_city_without_an_english_name_has_that_of_the_sites_language_or_any(
    settings, language, city
):
    settings.LANGUAGE_CODE = language
    names = {"fr": "Genève", "pt-BR": "Genebra", "de": "Genf"}
    assert read_location({"city": {"names": names}}).city == city


@pytest.mark.parametrize(
    "ip",
    [
        "::ffff:192.0.2.45",
        "2002:c000:22d::1",
        "64:ff9b::c000:22d",
        # Teredo's server has an address of its own, which says nothing of the client.
        "2001:0:c633:6401:8000:63bf:3fff:fdd2",
    ],
)
@pytest.mark.parametrize("version", [4, 6])
def test_an_ipv4_address_inside_of_ipv6_has_its_own_place(
    settings, tmp_path, ip, version
):
    places = {
        "192.0.2.0/24": ("Zürich", "CH"),
        "198.51.100.0/24": ("Lisbon", "PT"),
    }
    settings.GEOIP_PATH = geoip_database.write(
        tmp_path / "p.mmdb", places=places, ip_version=version
    )
    assert at(ip) == ZURICH


# The path of the database


@pytest.mark.parametrize("path", ["absent", None, ""])
def test_without_the_setting_there_is_no_place_and_no_line_in_the_log(
    settings, caplog, path
):
    del settings.GEOIP_PATH
    if path != "absent":
        settings.GEOIP_PATH = path
    assert at() == NOWHERE
    assert geoip.database_path() is None
    assert not caplog.records


def test_a_folders_city_database_goes_before_its_country_database(settings, tmp_path):
    settings.GEOIP_PATH = str(tmp_path)
    geoip_database.write(
        tmp_path / "GeoLite2-Country.mmdb", kind=geoip_database.COUNTRY
    )
    assert at() == Location("", "CH")
    geoip_database.write(tmp_path / "GeoLite2-City.mmdb")
    assert at() == ZURICH


def test_a_folders_databases_have_the_file_names_of_the_settings(settings, tmp_path):
    settings.GEOIP_PATH = tmp_path
    settings.GEOIP_CITY, settings.GEOIP_COUNTRY = "c.mmdb", "n.mmdb"
    country = geoip_database.write(tmp_path / "n.mmdb", kind=geoip_database.COUNTRY)
    assert geoip.database_path() == country
    assert at() == Location("", "CH")
    geoip_database.write(tmp_path / "c.mmdb")
    assert at() == ZURICH


# Opening


def test_the_database_is_opened_once(database, opened):
    for _ in range(5):
        assert at() == ZURICH
    assert opened == [database]


def test_a_database_that_was_replaced_is_opened_anew(database, opened):
    at()
    new = geoip_database.write(
        database.with_suffix(".new"), places={"192.0.2.0/24": ("Bern", "CH")}
    )
    new.replace(database)
    assert at() == at() == Location("Bern", "CH")
    assert opened == [database, database]


# Failures


@pytest.mark.parametrize("name", ["missing.mmdb", "", "x" * 5000, "a\0b"])
def test_a_missing_database_costs_one_line_of_the_log(settings, tmp_path, caplog, name):
    settings.GEOIP_PATH = f"{tmp_path}/{name}"
    assert [at(), at(), at()] == [NOWHERE] * 3
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "content", [b"", b"garbage", geoip_database.METADATA, b"\xff" * 9999]
)
def test_a_broken_database_costs_one_line_of_the_log(
    settings, tmp_path, caplog, opened, content
):
    path = tmp_path / "broken.mmdb"
    path.write_bytes(content)
    settings.GEOIP_PATH = path
    assert [at(), at(), at()] == [NOWHERE] * 3
    assert len(caplog.records) == len(opened) == 1


def test_a_database_of_another_kind_costs_one_line_of_the_log(
    settings, tmp_path, caplog
):
    settings.GEOIP_PATH = geoip_database.write(
        tmp_path / "asn.mmdb", kind="GeoLite2-ASN"
    )
    assert [at(), at()] == [NOWHERE] * 2
    assert len(caplog.records) == 1
    assert "GeoLite2-ASN" in caplog.text


@pytest.mark.parametrize("is_noticed", [True, False])
def test_a_database_that_is_damaged_while_open_costs_one_line_of_the_log(
    size, database, caplog, is_noticed
):
    assert at() == ZURICH
    before = database.stat()
    geoip_database.damage(database)
    if not is_noticed:
        os.utime(database, ns=(before.st_atime_ns, before.st_mtime_ns))
    if size == "small" and not is_noticed:
        # It is in memory, whole.
        assert at() == ZURICH
        assert not caplog.records
    else:
        assert [at(), at("2001:db8::7"), at()] == [NOWHERE] * 3
        assert len(caplog.records) == 1


@pytest.mark.parametrize("happens", ["unlink", "truncate"])
def test_a_database_that_goes_while_open_costs_one_line_of_the_log(
    database, caplog, happens
):
    assert at() == ZURICH
    os.truncate(database, 0) if happens == "truncate" else database.unlink()
    assert [at(), at()] == [NOWHERE] * 2
    assert len(caplog.records) == 1


def test_a_database_that_was_mended_is_used_again(database, caplog):
    geoip_database.damage(database)
    assert at() == NOWHERE
    geoip_database.write(database)
    assert [at(), at()] == [ZURICH] * 2
    assert len(caplog.records) == 1


def test_a_failure_of_a_replaced_reader_gives_up_nothing(database):
    at()
    geoip._reader.give_up(geoip.open_database(database))
    assert at() == ZURICH
