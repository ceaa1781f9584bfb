#!/usr/bin/env bash
# django-redis 7.0.0: with IGNORE_EXCEPTIONS and Redis away, touch() raises where get() and set() don't.
#
# Expected: "In some situations, when Redis is only used for cache, you do not want exceptions when Redis is down.
#   This is default behavior in the memcached backend and it can be emulated in django-redis", by IGNORE_EXCEPTIONS
#   (README, "Memcached exceptions behavior"). touch() is one of Django's cache methods, and "returns True if the key
#   was successfully touched, False otherwise" (Django, docs/topics/cache.txt).
# Seen: touch() raises redis.exceptions.ConnectionError. The backend's method is marked to ignore django-redis's own
#   ConnectionInterrupted, as its neighbours are, but the client's touch() doesn't turn the error of redis-py into
#   that. So do ttl() and expire(), which Django doesn't have.
# Why it matters: touch() is the cheap way to keep a cached session alive: no value is sent. A site that has switched
#   the exceptions off, and tried that with get() and set(), answers 500 to each page that touches while Redis is away.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check Django==5.2.19 django-redis==7.0.0 redis==8.1.0
seen=$("$folder/env/bin/python" - <<'PY'
import socket
from django.conf import settings

with socket.create_server(("127.0.0.1", 0)) as server:
    port = server.getsockname()[1]  # a port where, once this is closed, nothing listens
settings.configure(
    CACHES={
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": f"redis://127.0.0.1:{port}/0",
            "OPTIONS": {"IGNORE_EXCEPTIONS": True},
        }
    }
)
from django.core.cache import cache

CALLS = {
    "get": ("k", "default"), "get_many": (["k"],), "set": ("k", 1), "set_many": ({"k": 1},), "add": ("k", 1),
    "get_or_set": ("k", 1), "has_key": ("k",), "incr": ("k",), "delete": ("k",), "delete_many": (["k"],),
    "clear": (), "touch": ("k", 60), "ttl": ("k",), "expire": ("k", 60),
}
for name, arguments in CALLS.items():
    try:
        print(name, "answers", repr(getattr(cache, name)(*arguments)))
    except Exception as error:
        print(name, "raises", f"{type(error).__module__}.{type(error).__name__}")
PY
)
echo "$seen"
expected="get answers 'default'
get_many answers {}
set answers None
set_many answers None
add answers None
get_or_set answers 1
has_key answers None
incr answers None
delete answers None
delete_many answers None
clear answers None
touch raises redis.exceptions.ConnectionError
ttl raises redis.exceptions.ConnectionError
expire raises redis.exceptions.ConnectionError"
[ "$seen" = "$expected" ] || { echo "This has changed. Before:" "$expected" >&2; exit 1; }
