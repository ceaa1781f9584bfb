#!/usr/bin/env bash
# Django 5.1.15 -> 5.2.19: after the upgrade, typing the right password ends the user's sessions.
#
# Expected: a sign-in adds a session and leaves the user's other devices alone. The documentation says that sessions
#   end when the password is changed (docs/topics/auth/default.txt, "Session invalidation on password change"), and
#   of the hash that "Django will automatically upgrade the algorithm" at a sign-in, as also for a new number of
#   iterations (docs/topics/auth/passwords.txt, "Password upgrading"). Neither page names the other.
# Seen: feature releases raise the iterations of PBKDF2: 870,000 in 5.1, 1,000,000 in 5.2. The first check_password()
#   after the upgrade stores a new hash of the same password, and the hash in each session is made from that column.
#   So one sign-in ends the sessions of all other devices. A page that asks the signed-in user for the password again,
#   with user.check_password(), ends the very session that it runs in: nothing calls update_session_auth_hash().
# Why it matters: a list of devices goes on to show rows that the next request refuses, and the site gets reports of
#   sign-outs that nobody asked for, spread over the weeks after an upgrade.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
cat >"$folder/site_run.py" <<'PY'
import json, sys
from pathlib import Path
import django
from django.conf import settings

here = Path(__file__).parent
settings.configure(
    SECRET_KEY="not-a-secret-" * 4,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": here / "db.sqlite3"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
)
django.setup()
from django.contrib.auth.models import User
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.urls import path

def who(request):
    return HttpResponse(request.user.get_username() or "nobody")

def confirm(request):
    return HttpResponse(str(request.user.check_password(request.POST["password"])))

urlpatterns = [path("", who), path("confirm/", confirm)]

def page(device):
    return device.get("/").content.decode()

def device(key=None):
    client = Client()
    if key:
        client.cookies["sessionid"] = key
    return client

keys = here / "keys.json"
call_command("migrate", verbosity=0)
if sys.argv[1] == "before":
    for name in ("ann", "bob"):
        User.objects.create_user(name, password="a long password")
    devices = {"ann's laptop": device(), "ann's phone": device(), "bob's laptop": device()}
    for name, client in devices.items():
        assert client.login(username=name[:3], password="a long password")
    keys.write_text(json.dumps({n: c.cookies["sessionid"].value for n, c in devices.items()}))
else:
    devices = {name: device(key) for name, key in json.loads(keys.read_text()).items()}
print("Django", django.__version__, {name: page(client) for name, client in devices.items()})
if sys.argv[1] == "after":
    print("ann signs in on a tablet:", Client().login(username="ann", password="a long password"))
    laptop = devices["bob's laptop"]
    print("bob confirms the password:", laptop.post("/confirm/", {"password": "a long password"}).content.decode())
    print("then", {name: page(client) for name, client in devices.items()})
PY
run() {
  "$folder/env/bin/pip" install --quiet --disable-pip-version-check "Django==$1"
  "$folder/env/bin/python" "$folder/site_run.py" "$2"
}
seen=$(run 5.1.15 before && run 5.2.19 after)
echo "$seen"
expected="Django 5.1.15 {\"ann's laptop\": 'ann', \"ann's phone\": 'ann', \"bob's laptop\": 'bob'}
Django 5.2.19 {\"ann's laptop\": 'ann', \"ann's phone\": 'ann', \"bob's laptop\": 'bob'}
ann signs in on a tablet: True
bob confirms the password: True
then {\"ann's laptop\": 'nobody', \"ann's phone\": 'nobody', \"bob's laptop\": 'nobody'}"
[ "$seen" = "$expected" ] || { echo "This has changed. Before:" "$expected" >&2; exit 1; }
