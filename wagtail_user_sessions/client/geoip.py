"""The place of an IP address, by the database at ``GEOIP_PATH``."""

from __future__ import annotations

import ipaddress
import logging
import os
import re
from dataclasses import replace
from itertools import islice
from pathlib import Path

import maxminddb
from django.conf import settings

from .ip_address import IPAddress
from .location import Location, read_location

logger = logging.getLogger(__name__)

# The largest file, in bytes, that is read into memory, as those of countries are. A
# larger one is read from at each look-up, for each process would have a copy of it. None
# is mapped: the system ends a process that reads a mapped file which was cut short.
READ_LIMIT = 16 * 2**20
# Addresses of IPv4 hosts behind a translator: RFC 6052.
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
# How many records are looked at to tell whether a database has places.
SAMPLE = 1000
# Editions of MaxMind's without places.
EDITIONS_WITHOUT_PLACES = re.compile(
    r"Geo(?:Lite|IP)2-(?!.*(?:City|Country|Enterprise|Precision))"
)


class NoPlacesError(Exception):
    """The database has neither cities nor countries."""

    def __init__(self, edition: str) -> None:
        super().__init__(f"its edition, {edition!r}, has neither cities nor countries")


def locate(ip: IPAddress | None) -> Location:
    """Return the place of the address; empty if it isn't known. Never raises."""
    if ip is None or not _base():
        return Location()
    reader = _reader.get(database_path())
    if reader is None:
        return Location()
    try:
        return _look_up(reader, _embedded(ip) or ip)
    except Exception:
        # A damaged file can raise any error.
        _reader.give_up(reader)
        return Location()


def _look_up(reader: maxminddb.Reader, ip: IPAddress) -> Location:
    metadata = reader.metadata()
    if ip.version > metadata.ip_version:
        # A database of IPv4 addresses alone.
        return Location()
    found = read_location(reader.get(ip))
    edition = metadata.database_type
    is_of_countries = "Country" in edition and "City" not in edition
    return replace(found, city="") if is_of_countries else found


def _embedded(ip: IPAddress) -> ipaddress.IPv4Address | None:
    """Return the client's IPv4 address in one of IPv6: mapped, 6to4, Teredo, NAT64.

    Databases may lack these networks, and MaxMind's have that of Teredo's server.
    """
    if ip.version == 4:
        return None
    if ip in TRANSLATED:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)


def database_path() -> Path | None:
    """Return the file of the database, found by the same rules as Django's GeoIP2."""
    if not (path := _base()):
        return None
    base = Path(path)
    city = getattr(settings, "GEOIP_CITY", "GeoLite2-City.mmdb")
    country = getattr(settings, "GEOIP_COUNTRY", "GeoLite2-Country.mmdb")
    candidates = (base, base / city, base / country)
    # Unlike Path.is_file(), it doesn't raise for a folder that may not be read.
    return next((path for path in candidates if os.path.isfile(path)), None)


def _base() -> str | Path | None:
    base: str | Path | None = getattr(settings, "GEOIP_PATH", None)
    return base


def open_database(path: Path) -> maxminddb.Reader:
    """Return a reader of the file.

    Raises ``NoPlacesError``, and other errors where it is no database or damaged.
    """
    is_small = path.stat().st_size <= READ_LIMIT
    mode = maxminddb.MODE_MEMORY if is_small else maxminddb.MODE_FILE
    reader = maxminddb.open_database(path, mode)
    edition = reader.metadata().database_type
    if EDITIONS_WITHOUT_PLACES.match(edition) or not _has_places(reader):
        raise NoPlacesError(edition)
    return reader


def _has_places(reader: maxminddb.Reader) -> bool:
    records = (record for _network, record in islice(reader, SAMPLE))
    return any(read_location(record) != Location() for record in records)


class ReloadingReader:
    """Opens the database once, and again when its file has changed.

    A file that can't be opened or read is logged once, and not tried until it changes.
    """

    def __init__(self) -> None:
        self._signature: tuple[object, ...] | None = None
        self._reader: maxminddb.Reader | None = None

    def get(self, path: Path | None) -> maxminddb.Reader | None:
        signature = self._sign(path)
        if signature != self._signature:
            self._reader = self._open(path)
            self._signature = signature
        return self._reader

    def give_up(self, reader: maxminddb.Reader) -> None:
        """Stop using the reader, unless another thread has already replaced it."""
        if reader is self._reader:
            self._reader = None
            logger.exception("The database of places can't be read")

    def _sign(self, path: Path | None) -> tuple[object, ...]:
        try:
            stat = os.stat(path or "")
        except OSError:
            return (_base(),)
        return (path, stat.st_ino, stat.st_mtime_ns, stat.st_size)

    def _open(self, path: Path | None) -> maxminddb.Reader | None:
        if path is None:
            logger.error("There is no GeoIP database at %s", _base())
            return None
        try:
            return open_database(path)
        except NoPlacesError as error:
            logger.error("The GeoIP database %s can't be used: %s", path, error)
        except Exception:
            logger.exception("The GeoIP database %s can't be opened", path)
        return None


_reader = ReloadingReader()
