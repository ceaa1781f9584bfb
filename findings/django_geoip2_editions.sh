#!/usr/bin/env bash
# Django 5.2.19: its GeoIP2 refuses databases of cities that the library below it reads.
#
# Expected: the GeoIP2 object "is a wrapper for the MaxMind geoip2 Python library", and takes "the full path to where
#   the city or country data files (*.mmdb) are located" (docs/ref/contrib/gis/geoip2.txt). MaxMind sells the same
#   database as one of each region, with its type named after it, and as Enterprise; DB-IP sells DBIP-City.
# Seen: Django compares the type with a list of six, and raises for each other one. geoip2's own reader answers for the
#   very same files with city and country.
# Why it matters: a site that pays for a better database than GeoLite2 has no places at all, and the error speaks of an
#   edition that can't be handled, not of a list.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check \
  Django==5.2.19 geoip2==5.3.0 maxminddb==3.2.0 mmdb_writer==0.2.7 netaddr==1.3.0
cat >"$folder/editions.py" <<'PY'
from pathlib import Path
from django.conf import settings
settings.configure()
from django.contrib.gis.geoip2 import GeoIP2
import geoip2.database
from mmdb_writer import MMDBWriter
from netaddr import IPSet

def django_city(path):
    try:
        return GeoIP2(path).city("192.0.2.1")["city"]
    except Exception as error:
        return f"{type(error).__name__}: {error}"

RECORD = {"city": {"names": {"en": "Bern"}}, "country": {"iso_code": "CH", "names": {"en": "Switzerland"}}}
for edition in ("GeoIP2-City", "GeoIP2-City-Europe", "GeoIP2-Enterprise", "DBIP-City"):
    path = Path(__file__).parent / f"{edition}.mmdb"
    writer = MMDBWriter(4, database_type=edition, languages=["en"])
    writer.insert_network(IPSet(["192.0.2.0/24"]), RECORD)
    writer.to_db_file(str(path))
    with geoip2.database.Reader(path) as reader:
        read = reader.enterprise if "Enterprise" in edition else reader.city
        print(f"{edition}: geoip2 {read('192.0.2.1').city.name}; Django {django_city(path)}")
PY
seen=$("$folder/env/bin/python" "$folder/editions.py")
echo "$seen"
expected="GeoIP2-City: geoip2 Bern; Django Bern
GeoIP2-City-Europe: geoip2 Bern; Django GeoIP2Exception: Unable to handle database edition: GeoIP2-City-Europe
GeoIP2-Enterprise: geoip2 Bern; Django GeoIP2Exception: Unable to handle database edition: GeoIP2-Enterprise
DBIP-City: geoip2 Bern; Django GeoIP2Exception: Unable to handle database edition: DBIP-City"
[ "$seen" = "$expected" ] || { echo "This has changed. Before:" "$expected" >&2; exit 1; }
