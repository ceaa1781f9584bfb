#!/usr/bin/env bash
# mmdb-writer 0.2.7: True, 1 and 1.0 (and False, 0 and 0.0) are written as whichever of them came first.
#
# Expected: each value keeps its type. The format tells booleans, unsigned integers and doubles apart (MaxMind DB
#   File Format Specification 2.0, "Output Data Section"), and the README of mmdb-writer says that int(1) "would
#   convert to uint16" ("Underlying Principles"; the table under "Type Enforcement" has the other sizes).
# Seen: the writer keeps each value once and points to it later, and finds it again by Python's equality, where
#   True == 1 == 1.0. So a country with is_in_european_union=True turns the accuracy radius of 1 km in a later record
#   into True, and the other way about; a latitude of exactly 1 or 0 shares that fate. Records that differ only by
#   it become one record. The readers are right: it stands in the file. Wrapped values (MmdbU16(1)) are kept apart.
# Why it matters: a Python project that makes its own GeoIP database, for tests, a demo or its offices' networks, uses
#   this writer. A place then reads accuracy_radius=True, an "is True" holds or not by the order of the records, and
#   a record that is right by itself goes wrong when another is added elsewhere.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check mmdb-writer==0.2.7 netaddr==1.3.0 maxminddb==3.2.0 geoip2==5.3.0
seen=$("$folder/env/bin/python" - "$folder/city.mmdb" <<'PY'
import sys
import geoip2.database, maxminddb
from mmdb_writer import MMDBWriter, MmdbU16
from netaddr import IPSet

PARIS = {"country": {"iso_code": "FR", "is_in_european_union": True}}
SEOUL = {"country": {"iso_code": "KR"}, "location": {"accuracy_radius": 1, "latitude": 37.5, "longitude": 127.0}}
TYPED = {"country": {"iso_code": "KR"}, "location": {"accuracy_radius": MmdbU16(1), "latitude": 37.5, "longitude": 127.0}}

def write(*records):
    writer = MMDBWriter(database_type="GeoLite2-City")
    for number, record in enumerate(records):
        writer.insert_network(IPSet([f"192.0.2.{number * 16}/28"]), record)
    writer.to_db_file(sys.argv[1])

def city(number):
    with geoip2.database.Reader(sys.argv[1]) as reader:
        found = reader.city(f"192.0.2.{number * 16}")
    return found.country.iso_code, found.country.is_in_european_union, found.location.accuracy_radius

for title, records in {
    "alone": [SEOUL], "Paris first": [PARIS, SEOUL], "Seoul first": [SEOUL, PARIS], "Paris first, typed": [PARIS, TYPED],
}.items():
    write(*records)
    print(f"{title}:", *[city(number) for number in range(len(records))])
write({"value": 0.0}, {"value": False}, {"value": 0})
for name in ("MODE_AUTO", "MODE_MEMORY"):
    with maxminddb.open_database(sys.argv[1], getattr(maxminddb, name)) as reader:
        print(f"0.0, False and 0 by {name}:", [reader.get(f"192.0.2.{number * 16}")["value"] for number in range(3)])
PY
)
echo "$seen"
expected="alone: ('KR', False, 1)
Paris first: ('FR', True, None) ('KR', False, True)
Seoul first: ('KR', False, 1) ('FR', 1, None)
Paris first, typed: ('FR', True, None) ('KR', False, 1)
0.0, False and 0 by MODE_AUTO: [0.0, 0.0, 0.0]
0.0, False and 0 by MODE_MEMORY: [0.0, 0.0, 0.0]"
[ "$seen" = "$expected" ] || { echo "This has changed. Before:" "$expected" >&2; exit 1; }
