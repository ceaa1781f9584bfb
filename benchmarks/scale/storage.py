"""Bytes per session, in our table and in another package's with the same sessions."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

# The table of django-user-sessions 2.0, as its migrations make it on PostgreSQL, with
# each column and index; a varchar key gets a second index for LIKE. It keeps the
# client of visitors as well, and ours doesn't.
PEER = """
CREATE TABLE user_sessions_session (
    session_key varchar(40) PRIMARY KEY, session_data text NOT NULL,
    expire_date timestamptz NOT NULL, user_agent varchar(200),
    last_activity timestamptz NOT NULL, ip inet,
    user_id integer REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED);
CREATE INDEX peer_key_like ON user_sessions_session (session_key varchar_pattern_ops);
CREATE INDEX peer_expire ON user_sessions_session (expire_date);
CREATE INDEX peer_user ON user_sessions_session (user_id);
INSERT INTO user_sessions_session
SELECT left(encode(key_hash, 'hex'), 32), session_data, expire_date,
    coalesce(nullif(user_agent, ''), 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) '
        || 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'),
    coalesce(last_activity, created_at), coalesce(ip, '203.0.113.7'), user_id
FROM wagtail_user_sessions_session;
"""
# A copy of our table, so that its indexes grow row by row as well.
OURS = """
CREATE TABLE ours (LIKE wagtail_user_sessions_session INCLUDING ALL);
ALTER TABLE ours SET (fillfactor = 90);
INSERT INTO ours SELECT * FROM wagtail_user_sessions_session;
"""
INDEXES = """
SELECT indexrelid::regclass::text, pg_relation_size(indexrelid)
FROM pg_index WHERE indrelid = %s::regclass ORDER BY 2 DESC, 1
"""


@dataclass(frozen=True)
class Table:
    # Bytes per row.
    heap: float
    indexes: dict[str, float]

    @property
    def total(self) -> float:
        return self.heap + sum(self.indexes.values())


def measure() -> dict[str, Table]:
    """Fill both tables with the same sessions in the same way, and measure them."""
    with connection.cursor() as cursor:
        cursor.execute(OURS)
        cursor.execute(PEER)
    return {
        "ours": _table("ours"),
        "django-user-sessions": _table("user_sessions_session"),
    }


def _table(name: str) -> Table:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*), pg_table_size('{name}') FROM {name}")
        rows, heap = cursor.fetchone()
        cursor.execute(INDEXES, [name])
        indexes = {index: size / rows for index, size in cursor.fetchall()}
    return Table(heap / rows, indexes)
