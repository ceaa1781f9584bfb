#!/usr/bin/env bash
# Wagtail 8.0.1: the page that inspects a snippet tells UTC where its listing tells the editor's time.
#
# Expected: "Logged-in users can choose their current time zone for the admin interface in the account settings"
#   (docs/reference/settings.md, WAGTAIL_USER_TIME_ZONES), so that all pages of the admin tell times in that zone.
# Seen: the listing does. The page of one object passes each value through the filter "localize", which makes text of it
#   before the template could convert it to a zone: it tells UTC, and doesn't say so.
# Why it matters: an editor who compares a session's time with another log is off by the zone, or by a day.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check wagtail==8.0.1 Django==5.2.19
mkdir "$folder/diary"
touch "$folder/diary/__init__.py"
cat >"$folder/diary/models.py" <<'PY'
from django.db import models

class Entry(models.Model):
    written_at = models.DateTimeField()
PY
cat >"$folder/diary/wagtail_hooks.py" <<'PY'
from wagtail.snippets.models import register_snippet
from wagtail.snippets.views.snippets import SnippetViewSet
from diary.models import Entry

class EntryViewSet(SnippetViewSet):
    model = Entry
    list_display = ["written_at"]
    inspect_view_enabled = True

register_snippet(EntryViewSet)
PY
cat >"$folder/show.py" <<'PY'
import datetime, logging, re
import django
from django.conf import settings

CORE = ["contrib.auth", "contrib.contenttypes", "contrib.sessions", "contrib.messages"]
WAGTAIL = ["users", "snippets", "documents", "images", "search", "admin", ""]
settings.configure(
    SECRET_KEY="not-a-secret-" * 4, ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, USE_TZ=True, TIME_ZONE="Asia/Tokyo",
    STATIC_URL="/static/", WAGTAIL_SITE_NAME="Diary", WAGTAILADMIN_BASE_URL="http://localhost",
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["diary", *(f"wagtail.{name}".rstrip(".") for name in WAGTAIL), "modelcluster", "taggit",
                    *(f"django.{name}" for name in CORE), "django.contrib.staticfiles"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware",
                "django.contrib.messages.middleware.MessageMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {
        "context_processors": ["django.template.context_processors.request",
                               "django.contrib.auth.context_processors.auth",
                               "django.contrib.messages.context_processors.messages"]}}],
)
django.setup()
logging.disable(logging.CRITICAL)
import wagtail
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import include, path
from diary.models import Entry

urlpatterns = [path("admin/", include("wagtail.admin.urls"))]
call_command("migrate", run_syncdb=True, verbosity=0)
Entry.objects.create(written_at=datetime.datetime(2026, 1, 15, 20, 0, tzinfo=datetime.timezone.utc))
ann = User.objects.create_superuser("ann")
from wagtail.users.models import UserProfile
UserProfile.objects.create(user=ann, current_time_zone="America/New_York")
client = Client()
client.force_login(ann)
for name, url in (("listing", "/admin/snippets/diary/entry/"), ("inspect", "/admin/snippets/diary/entry/inspect/1/")):
    page = client.get(url)
    times = re.findall(r"Jan\. 1\d, 2026, [^<\n]+", page.content.decode())
    print(f"Wagtail {wagtail.__version__} {name}: {times[0].strip() if times else page.status_code}")
PY
seen=$(cd "$folder" && "$folder/env/bin/python" -W ignore show.py)
echo "$seen"
expected="Wagtail 8.0.1 listing: Jan. 15, 2026, 3 p.m.
Wagtail 8.0.1 inspect: Jan. 15, 2026, 8 p.m."
[ "$seen" = "$expected" ] || { echo "This has changed. Before:" "$expected" >&2; exit 1; }
