"""A million sessions, made by the database itself.

The rows aren't ordered by time. On a site it comes to that as well, once new rows
fill the gaps of deleted ones; for the listing it is the worst case.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import connection

from wagtail_user_sessions.hashing import valid_auth_hashes
from wagtail_user_sessions.models import Session

# The counts below add up to this.
TOTAL = 100_000

COMMON_BROWSER, RARE_BROWSER = "Chrome", "Konqueror"
COMMON_COUNTRY, RARE_COUNTRY = "US", "TV"
COMMON_SYSTEM, RARE_SYSTEM = "Windows", "FreeBSD"
# A first name of many users, as in their user names, and the last name of one user.
COMMON_NAME, RARE_NAME = "anna", "Quillfeather"
COMMON_IP, RARE_IP = "2001:db8:", "81.2."

DEVICES = (
    # how many, kind, browser, system
    (30_000, "desktop", COMMON_BROWSER, COMMON_SYSTEM),
    (21_000, "mobile", "Mobile Safari", "iOS"),
    (17_000, "mobile", "Chrome Mobile", "Android"),
    (9_000, "desktop", "Safari", "Mac OS X"),
    (8_000, "desktop", "Edge", COMMON_SYSTEM),
    (5_000, "desktop", "Firefox", COMMON_SYSTEM),
    (3_000, "desktop", COMMON_BROWSER, "Mac OS X"),
    (2_500, "tablet", "Mobile Safari", "iOS"),
    (1_500, "desktop", "Firefox", "Ubuntu"),
    (1_500, "mobile", "Samsung Internet", "Android"),
    (700, "tablet", "Chrome", "Android"),
    (500, "unknown", "", ""),
    (288, "bot", "Python Requests", ""),
    (10, "desktop", RARE_BROWSER, "Linux"),
    (2, "desktop", "Firefox", RARE_SYSTEM),
)
PLACES = (
    # how many, city, country
    (34_000, "New York", COMMON_COUNTRY),
    (14_000, "Berlin", "DE"),
    (12_000, "London", "GB"),
    (8_000, "", ""),
    (7_000, "Paris", "FR"),
    (6_000, "Amsterdam", "NL"),
    (5_000, "Mumbai", "IN"),
    (4_000, "Warsaw", "PL"),
    (3_000, "Toronto", "CA"),
    (2_500, "Madrid", "ES"),
    (2_000, "Vienna", "AT"),
    (1_500, "Tokyo", "JP"),
    (900, "Wellington", "NZ"),
    (97, "Reykjavik", "IS"),
    (3, "Funafuti", RARE_COUNTRY),
)
FIRST_NAMES = [
    "Anna",
    "Ben",
    "Clara",
    "David",
    "Emma",
    "Finn",
    "Grace",
    "Hugo",
    "Ida",
    "Jack",
    "Karin",
    "Leo",
    "Maria",
    "Noah",
    "Olga",
    "Paul",
    "Quinn",
    "Rosa",
    "Sam",
    "Tara",
    "Uwe",
    "Vera",
    "Will",
    "Xenia",
    "Yan",
    "Zoe",
    "Hannah",
    "Joanna",
    "Amir",
    "Priya",
]
LAST_NAMES = [
    "Smith",
    "Jones",
    "Weber",
    "Fischer",
    "Martin",
    "Bernard",
    "Silva",
    "Kowalski",
    "Nowak",
    "Singh",
    "Patel",
    "Brown",
    "Taylor",
    "Novak",
    "Horvat",
    "Jansen",
    "Visser",
    "Berg",
    "Lund",
    "Moreau",
    "Garcia",
    "Lopez",
    "Rossi",
    "Ricci",
    "Tanaka",
    "Sato",
    "Kim",
    "Park",
    "Chen",
    "Wang",
    "Khan",
    "Ali",
    "Murphy",
    "Walsh",
    "Young",
    "King",
    "Hill",
    "Wood",
    "Green",
]

USERS = """
INSERT INTO auth_user (username, first_name, last_name, email, password, is_active,
    is_staff, is_superuser, date_joined, last_login)
SELECT
    CASE WHEN is_rare THEN lower(%(rare)s) ELSE lower(first || '.' || last) || i END,
    first,
    CASE WHEN is_rare THEN %(rare)s ELSE last END,
    CASE WHEN is_rare THEN lower(%(rare)s)
         ELSE lower(first || '.' || last) || i END
        || CASE WHEN i %% 3 = 0 THEN '@example.org' ELSE '@example.com' END,
    %(password)s,
    i %% 33 <> 0,
    false,
    i %% 10007 = 0,
    now() - interval '1000 days' * random(),
    CASE WHEN random() < 0.9 THEN now() - interval '90 days' * random() END
FROM (
    SELECT i, i = %(users)s / 2 AS is_rare,
        (%(first)s::text[])[1 + i %% %(firsts)s] AS first,
        (%(last)s::text[])[1 + i / 7 %% %(lasts)s] AS last
    FROM generate_series(1, %(users)s) AS i
) AS person
"""

# A few users have many sessions, most have few. An older sign-in is more likely to
# have expired; three tenths of all have. The data is as long as the signed data that
# a sign-in saves.
SIGNED_IN = """
INSERT INTO wagtail_user_sessions_session (id, key_hash, version, session_data,
    expire_date, user_id, created_at, signed_in_at, auth_digest, last_activity, ip,
    user_agent, device_kind, browser, os, city, country, name)
SELECT gen_random_uuid(), sha256(i::text::bytea), i, left(repeat(md5(i::text), 8), 232),
    expire_date, first_user + floor(%(users)s * share * share)::int,
    created, created, %(digest)s,
    created + (least(now(), expire_date) - created) * sqrt(random()),
    CASE WHEN random() < 0.3
        THEN '2001:db8:' || to_hex(a * 256 + b) || ':' || to_hex(c) || '::' || to_hex(d)
        ELSE a || '.' || b || '.' || c || '.' || d END::inet,
    'Mozilla/5.0 (' || os || ') AppleWebKit/537.36 (KHTML, like Gecko) ' || browser
        || '/' || 100 + i %% 40 || '.0.0.0 Safari/537.36',
    kind, browser, os, city, country,
    CASE WHEN random() < 0.02 THEN 'Work laptop' ELSE '' END
FROM (
    SELECT *, now() - interval '90 days' * age AS created,
        CASE WHEN random() < 0.6 * age
            THEN now() - interval '90 days' * age * random() * 0.9
            ELSE now() + interval '14 days' * random() END AS expire_date
    FROM (
        SELECT i, random() AS age, random() AS share,
            floor(%(total)s * random())::int AS device_number,
            floor(%(total)s * random())::int AS place_number,
            1 + floor(223 * random())::int AS a, floor(256 * random())::int AS b,
            floor(256 * random())::int AS c, floor(256 * random())::int AS d
        FROM generate_series(1, %(rows)s) AS i
    ) AS drawn
) AS dated
JOIN device ON device.number = device_number
JOIN place ON place.number = place_number
CROSS JOIN (SELECT min(id) AS first_user FROM auth_user) AS users
"""

# Visitors' rows have no client columns. Their data is as long as a few values that a
# site might keep.
VISITORS = """
INSERT INTO wagtail_user_sessions_session (id, key_hash, version, session_data,
    expire_date, created_at, user_agent, device_kind, browser, os, city, country, name)
SELECT gen_random_uuid(), sha256(i::text::bytea), i, left(repeat(md5(i::text), 3), 90),
    created + interval '14 days', created, '', 'unknown', '', '', '', '', ''
FROM (
    SELECT i, now() - interval '15 days' * random() AS created
    FROM generate_series(-%(rows)s, -1) AS i
) AS dated
"""


def fill(*, rows: int, users: int) -> None:
    """Fill the tables. Four fifths of the rows are signed in, the others aren't."""
    signed_in = rows * 4 // 5
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.5)")
        digest = _make_users(users)
        _make_choices("device", "kind, browser, os", DEVICES)
        _make_choices("place", "city, country", PLACES)
        cursor.execute(
            SIGNED_IN,
            {"rows": signed_in, "users": users, "digest": digest, "total": TOTAL},
        )
        cursor.execute(VISITORS, {"rows": rows - signed_in})
        cursor.execute("DROP TABLE device, place")


def _make_users(users: int) -> bytes:
    """Make users with the same password; return the digest of its hash."""
    password = make_password("secret")
    parameters: dict[str, Any] = {
        "users": users,
        "rare": RARE_NAME,
        "password": password,
        "first": FIRST_NAMES,
        "firsts": len(FIRST_NAMES),
        "last": LAST_NAMES,
        "lasts": len(LAST_NAMES),
    }
    with connection.cursor() as cursor:
        cursor.execute(USERS, parameters)
    (digest,) = valid_auth_hashes(get_user_model()(password=password))
    return digest


def _make_choices(
    table: str, columns: str, choices: tuple[tuple[int | str, ...], ...]
) -> None:
    """Make a table in which each choice has as many rows as its count.

    The rows are numbered, so that a random number picks one with that frequency.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE {table} AS SELECT 0 AS number, "
            + ", ".join(f"''::text AS {name}" for name in columns.split(", "))
            + " WITH NO DATA"
        )
        low = 0
        for count, *values in choices:
            high = low + int(count)
            places = ", ".join(["%s"] * len(values))
            cursor.execute(
                f"INSERT INTO {table} SELECT generate_series(%s, %s), {places}",
                [low, high - 1, *values],
            )
            low = high
        assert low == TOTAL
        cursor.execute(f"ANALYZE {table}")


def is_filled(*, rows: int) -> bool:
    """Return whether about so many rows are there; the benchmark adds a few itself."""
    return abs(Session.objects.count() - rows) < 100
