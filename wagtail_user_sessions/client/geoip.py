"""The place of an IP address, by the MaxMind database at ``GEOIP_PATH``."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.gis.geoip2 import GeoIP2
from geoip2.errors import AddressNotFoundError

from .ip_address import IPAddress
from .text import sanitize

logger = logging.getLogger(__name__)

CITY_LIMIT = 128
COUNTRY_CODE = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True)
class Location:
    """A place: the city's English name and the country's ISO 3166-1 code."""

    city: str = ""
    country: str = ""


def locate(ip: IPAddress | None) -> Location:
    """Return the place of the address; empty if it isn't known. Never raises."""
    if ip is None or not _base():
        return Location()
    reader = _reader.get(database_path())
    try:
        return Location() if reader is None else _look_up(reader, ip)
    except AddressNotFoundError:
        return Location()
    except Exception as error:
        # A damaged file can raise any error. A sound one for IPv4 alone raises
        # ValueError for an IPv6 address.
        if reader and (ip.version == 4 or type(error) is not ValueError):
            _reader.give_up(reader)
        return Location()


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


def _look_up(reader: GeoIP2, ip: IPAddress) -> Location:
    found = reader.city(str(ip)) if reader.is_city else reader.country(str(ip))
    country = str(found["country_code"] or "")
    return Location(
        city=sanitize(str(found.get("city") or ""), limit=CITY_LIMIT),
        country=country if COUNTRY_CODE.fullmatch(country) else "",
    )


class ReloadingReader:
    """Opens the database once, and again when its file has changed.

    A file that can't be opened or read is logged once, and not tried until it changes.
    """

    def __init__(self) -> None:
        self._signature: tuple[object, ...] | None = None
        self._reader: GeoIP2 | None = None

    def get(self, path: Path | None) -> GeoIP2 | None:
        signature = self._sign(path)
        if signature != self._signature:
            self._reader = self._open(path)
            self._signature = signature
        return self._reader

    def give_up(self, reader: GeoIP2) -> None:
        """Stop using the reader, unless another thread has already replaced it."""
        if reader is self._reader:
            self._reader = None
            logger.exception("The GeoIP database can't be read: %r", reader)

    def _sign(self, path: Path | None) -> tuple[object, ...]:
        try:
            stat = os.stat(path or "")
        except OSError:
            return (_base(),)
        return (path, stat.st_ino, stat.st_mtime_ns, stat.st_size)

    def _open(self, path: Path | None) -> GeoIP2 | None:
        if path is None:
            logger.error("There is no GeoIP database at %s", _base())
            return None
        try:
            return GeoIP2(path)
        except Exception:
            logger.exception("The GeoIP database %s can't be opened", path)
            return None


_reader = ReloadingReader()
