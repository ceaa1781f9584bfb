"""A small GeoIP database: addresses for documentation, and some well-known ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet

FILE_NAME = "GeoLite2-City.mmdb"


@dataclass(frozen=True)
class Place:
    city: str
    country: str
    code: str
    latitude: float
    longitude: float
    networks: tuple[str, ...]


PLACES = (
    Place(
        "London",
        "United Kingdom",
        "GB",
        51.51,
        -0.13,
        ("81.2.69.0/24", "2a02:c7c::/32"),
    ),
    Place("Linköping", "Sweden", "SE", 58.42, 15.62, ("89.160.20.0/24",)),
    Place("Mountain View", "United States", "US", 37.39, -122.08, ("8.8.8.0/24",)),
    Place("Sydney", "Australia", "AU", -33.87, 151.21, ("1.1.1.0/24",)),
    Place("Zürich", "Switzerland", "CH", 47.37, 8.54, ("192.0.2.0/24",)),
    Place("Lisbon", "Portugal", "PT", 38.72, -9.14, ("198.51.100.0/24",)),
    Place("Montréal", "Canada", "CA", 45.5, -73.57, ("203.0.113.0/24",)),
    Place("Kyoto", "Japan", "JP", 35.01, 135.77, ("2001:db8::/32",)),
    Place("Berlin", "Germany", "DE", 52.52, 13.4, ("2a02:8108::/32",)),
)
# Browsers on this computer have a place too.
LOCALHOST = ("127.0.0.0/8", "::1/128")


def build(folder: Path) -> Path:
    """Write the database into the folder; return its path.

    It replaces an older one in one step, because a server may read that meanwhile.
    """
    writer = MMDBWriter(
        ip_version=6,
        ipv4_compatible=True,
        database_type="GeoLite2-City",
        languages=["en"],
        description="Places of the sandbox",
    )
    for place in PLACES:
        writer.insert_network(IPSet(place.networks), record(place))
    writer.insert_network(IPSet(LOCALHOST), {"city": {"names": {"en": "Localhost"}}})
    path = folder / FILE_NAME
    unfinished = path.with_suffix(".new")
    writer.to_db_file(str(unfinished))
    return unfinished.replace(path)


def record(place: Place) -> dict[str, Any]:
    """Return the record of a place in the format of MaxMind's City databases."""
    return {
        "city": {"names": {"en": place.city}},
        "country": {"iso_code": place.code, "names": {"en": place.country}},
        "location": {"latitude": place.latitude, "longitude": place.longitude},
    }
