#!/usr/bin/env bash
# Django 5.2.19: after a rotation of SECRET_KEY, a page with two requests at once signs its user out.
#
# Expected: sessions go on: "secret key values must be rotated to avoid invalidating existing sessions when updating
#   your site to use a new secret" (docs/topics/auth/default.txt, "Session invalidation on password change", note),
#   and SECRET_KEY_FALLBACKS says how: the new key first, the old one behind it (docs/ref/settings.txt).
# Seen: the first request that verifies a session by an old key also gives it a new session key and deletes the old
#   row, on a plain GET. A second request that the browser sent before the first was answered carries the old cookie.
#   It finds no row, its view sees nobody, and its answer deletes the cookie: by its name, so the one that the first
#   answer has just set. Read in the order in which they come, the two answers leave the browser without a session.
#   The row with the new key stays, signed in, and no browser has its key any more. (Shown with one worker, where the
#   order is certain. With several the second may also come in time.)
# Why it matters: pages that fetch parts of themselves (htmx, images behind a sign-in, the pings of Wagtail's editor)
#   send such pairs all the time. An engine, or a list of devices, can't take a new key to mean a sign-in.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check "Django==5.2.19"
cat >"$folder/run.py" <<'PY'
import http.client, threading
from http.cookies import SimpleCookie
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server
import django
from django.conf import settings

settings.configure(
    SECRET_KEY="old-" * 13,
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(__file__).parent / "db.sqlite3"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
)
django.setup()
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.test import Client
from django.urls import path

urlpatterns = [path("<str:part>/", lambda request, part: HttpResponse(request.user.get_username() or "nobody"))]
call_command("migrate", verbosity=0)
User.objects.create_user("ann")

class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass

# One worker: it takes the second request when it has answered the first.
server = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet)
threading.Thread(target=server.serve_forever, daemon=True).start()

def fetch_at_once(jar, *parts):
    """Send a request for each part, all with the cookie of now, then read the answers in turn."""
    connections = [http.client.HTTPConnection("127.0.0.1", server.server_port) for _ in parts]
    for connection, part in zip(connections, parts):
        connection.request("GET", part, headers={"Cookie": f"sessionid={jar}"} if jar else {})
    seen = []
    for connection in connections:
        answer = connection.getresponse()
        seen.append(answer.read().decode())
        for header in answer.headers.get_all("Set-Cookie", []):
            jar = SimpleCookie(header)["sessionid"].value
    return jar, seen

for rotated in (False, True):
    Session.objects.all().delete()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "old-" * 13, []
    client = Client()
    client.force_login(User.objects.get())
    if rotated:
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new-" * 13, ["old-" * 13]
    jar, seen = fetch_at_once(client.cookies["sessionid"].value, "/page/", "/part/")
    after = fetch_at_once(jar, "/next/")[1]
    print("rotated:" if rotated else "as before:", seen, "then", after, "cookie", bool(jar), "rows", Session.objects.count())
PY
seen=$("$folder/env/bin/python" "$folder/run.py")
echo "$seen"
expected="as before: ['ann', 'ann'] then ['ann'] cookie True rows 1
rotated: ['ann', 'nobody'] then ['nobody'] cookie False rows 1"
[ "$seen" = "$expected" ] || { echo "This has changed. Before:" "$expected" >&2; exit 1; }
