#!/usr/bin/env bash
# django-qsessions 2.1.0 and django-user-sessions 2.0.0: Django's async session calls leave a row without its user.
#
# Expected: "Sessions have a foreign key to User" and "store IP and User Agent" (README of django-qsessions, which
#   names Django 5.2 among its versions), so asave() stores the same row as save(). Django's engines have both since
#   5.1 (docs/topics/http/sessions.txt, "The SessionStore object"). django-user-sessions promises the same key back
#   to the user; it names Django up to 4.0 only, but installs and runs on 5.2.
# Seen: django-qsessions overrides create_model_instance(), and Django's asave() makes its row by another method,
#   acreate_model_instance(). A session that is saved by asave() alone, as in the body of a streamed answer or by the
#   test client's own async sign-in, loses user, address and user agent, and stays signed in.
#   django-user-sessions learns the user in __setitem__(), and Django's alogin() stores it with aset(), which goes
#   past that: the row has no user from the start, and later saves keep it so.
# Why it matters: the user's list lacks a device that is signed in. An engine that keeps facts beside Django's has to
#   override both halves of the API, and methods such as __setitem__() have async twins that don't call them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check \
  Django==5.2.19 django-qsessions==2.1.0 django-user-sessions==2.0.0
cat >"$folder/run.py" <<'PY'
import asyncio, sys
from importlib import import_module
import django
from django.conf import settings

app, database = sys.argv[1:]
settings.configure(
    SECRET_KEY="not-a-secret-" * 4,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", app],
    SESSION_ENGINE=f"{app}.backends.db",
    MIDDLEWARE=[f"{app}.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware"],
)
django.setup()
from django.contrib.auth import alogin, login
from django.contrib.auth.models import User
from django.core.management import call_command
from django.http import HttpResponse, StreamingHttpResponse
from django.test import AsyncClient
from django.urls import path

def sign_in(request):
    return HttpResponse(login(request, User.objects.get()))

async def sign_in_async(request):
    return HttpResponse(await alogin(request, await User.objects.aget()))

async def export(request):
    async def body():
        await request.session.aset("exported", True)
        await request.session.asave()
        yield b"rows"
    await request.auser()
    return StreamingHttpResponse(body())

async def who(request):
    return HttpResponse((await request.auser()).get_username() or "nobody")

urlpatterns = [path(f"{view.__name__}/", view) for view in (sign_in, sign_in_async, export, who)]
call_command("migrate", verbosity=0)
ann = User.objects.create_user("ann")
Session = import_module(f"{app}.models").Session

async def visit(*steps):
    browser = AsyncClient()
    for step in steps:
        if step == "aforce_login() of the test client":
            await browser.aforce_login(ann)
        else:
            answer = await browser.get(f"/{step}/", headers={"user-agent": "Firefox"})
            if answer.streaming:
                assert [part async for part in answer] == [b"rows"]
    rows = [row async for row in Session.objects.values_list("user__username", "ip", "user_agent")]
    listed = await ann.session_set.acount()
    print(f"{app}, {' + '.join(steps)}:", *rows, "ann's sessions:", listed, "page for:", (await browser.get("/who/")).content.decode())
    await Session.objects.all().adelete()

for steps in (["sign_in"], ["sign_in_async"], ["sign_in", "export"], ["aforce_login() of the test client"]):
    asyncio.run(visit(*steps))
PY
seen=$(for app in qsessions user_sessions; do "$folder/env/bin/python" "$folder/run.py" $app "$folder/$app.sqlite3"; done)
echo "$seen"
expected="qsessions, sign_in: ('ann', '127.0.0.1', 'Firefox') ann's sessions: 1 page for: ann
qsessions, sign_in_async: ('ann', '127.0.0.1', 'Firefox') ann's sessions: 1 page for: ann
qsessions, sign_in + export: (None, None, None) ann's sessions: 0 page for: ann
qsessions, aforce_login() of the test client: (None, None, None) ann's sessions: 0 page for: ann
user_sessions, sign_in: ('ann', '127.0.0.1', 'Firefox') ann's sessions: 1 page for: ann
user_sessions, sign_in_async: (None, '127.0.0.1', 'Firefox') ann's sessions: 0 page for: ann
user_sessions, sign_in + export: ('ann', '127.0.0.1', 'Firefox') ann's sessions: 1 page for: ann
user_sessions, aforce_login() of the test client: (None, None, None) (None, None, None) ann's sessions: 0 page for: ann"
[ "$seen" = "$expected" ] || { echo "This has changed. Before:" "$expected" >&2; exit 1; }
