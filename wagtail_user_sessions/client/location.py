"""A place, and how databases of places write it down.

MaxMind, DB-IP and IP2Location nest names and codes by their kind; IPinfo writes flat
records. Sources: https://dev.maxmind.com/geoip/docs/databases/city-and-country and
https://ipinfo.io/developers/ipinfo-lite-database
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from .text import sanitize

CITY_LIMIT = 128
# Not "ZZ", an unknown country, nor the regions that databases give for want of one.
COUNTRY_CODE = re.compile(r"(?!ZZ|EU|AP)[A-Z]{2}")
# The country that an address is in goes before the one that it is registered in.
COUNTRIES = ("country", "registered_country", "represented_country")
# IP2Location's sign for what it doesn't know.
UNKNOWN = "-"


@dataclass(frozen=True)
class Location:
    """A place: the city's English name, if it has one, and the country's ISO 3166-1
    code, or "XK", which databases use for Kosovo.
    """

    city: str = ""
    country: str = ""


def read_location(record: object) -> Location:
    """Return the place of a database's record; empty as far as it has none."""
    if not isinstance(record, Mapping):
        return Location()
    codes = filter(COUNTRY_CODE.fullmatch, _country_codes(record))
    return Location(city=_city(record), country=next(codes, ""))


def _country_codes(record: Mapping[str, Any]) -> Iterator[str]:
    for name in COUNTRIES:
        country = record.get(name)
        if isinstance(country, Mapping):
            yield str(country.get("iso_code") or "")
    # A flat record may have the country's name in "country", or its code.
    yield str(record.get("country_code") or "").upper()
    yield str(record.get("country") or "")


def _city(record: Mapping[str, Any]) -> str:
    city = record.get("city") or record.get("city_name") or ""
    name = _name(city.get("names")) if isinstance(city, Mapping) else str(city)
    return "" if name == UNKNOWN else sanitize(name, limit=CITY_LIMIT)


def _name(names: object) -> str:
    """Return the English name, else the one in the site's language, else any."""
    if not isinstance(names, Mapping) or not names:
        return ""
    language = settings.LANGUAGE_CODE.lower()
    wanted = {"en": 0, language: 1, language.partition("-")[0]: 2}
    first = min(names, key=lambda name: (wanted.get(str(name).lower(), 3), str(name)))
    return str(names[first] or "")
