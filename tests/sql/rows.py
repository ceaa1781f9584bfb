"""Columns of rows in the tests of compiled queries."""

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 5, 4, 12, 0, 0, 123456, tzinfo=UTC)
FULL = {
    "version": 2**62,
    "session_data": "data: % %s \\ ' \" é 🙂",
    "created_at": NOON,
    "signed_in_at": NOON,
    "auth_digest": bytes(range(16)),
    "last_activity": NOON,
    "ip": "2001:db8::1",
    "user_agent": "Ünknown/1.0",
    "device_kind": "mobile",
    "browser": "Chrome",
    "os": "Android",
    "city": "Zürich",
    "country": "CH",
    "name": "my %s phone",
}
OTHER = {
    "version": -1,
    "session_data": "",
    "created_at": NOON + timedelta(days=1),
    "signed_in_at": None,
    "auth_digest": None,
    "last_activity": None,
    "ip": None,
    "user_agent": "",
    "name": "",
}


def columns_of(row):
    return {field.attname: getattr(row, field.attname) for field in row._meta.fields}
