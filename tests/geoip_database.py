"""Small databases of places in MaxMind's format."""

from mmdb_writer import MMDBWriter
from netaddr import IPSet

CITY = "GeoLite2-City"
COUNTRY = "GeoLite2-Country"
METADATA = b"\xab\xcd\xefMaxMind.com"

PLACES = {
    "192.0.2.0/24": ("Zürich", "CH"),
    "198.51.100.0/24": ("Lisbon", "PT"),
    "2001:db8::/32": ("Kyoto", "JP"),
}


def write(path, *, kind=CITY, places=None, ip_version=6):
    """Write a database of the places, by network, to the file; return its path."""
    records = {network: record(*place) for network, place in (places or PLACES).items()}
    return write_records(path, records, kind=kind, ip_version=ip_version)


def write_records(path, records, *, kind=CITY, ip_version=6):
    """Write a database of the records, by network, to the file; return its path."""
    writer = MMDBWriter(
        ip_version=ip_version,
        ipv4_compatible=ip_version == 6,
        database_type=kind,
        languages=["en"],
        description="Places of the tests",
    )
    for network, found in records.items():
        writer.insert_network(IPSet([network]), found)
    writer.to_db_file(str(path))
    return path


def record(city, country):
    return {
        "city": {"names": {"en": city}},
        "country": {"iso_code": country, "names": {"en": country}},
    }


def damage(path):
    """Make every record unreadable; the file still opens."""
    content = path.read_bytes()
    end = content.rindex(METADATA)
    start = content.rindex(bytes(16), 0, end) + 16
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xff" * (end - start))
