"""A small Wagtail site that uses the package. Four environment variables:

SANDBOX_SESSION_ENGINE  wagtail_user_sessions.backends.db (the default) or
                        wagtail_user_sessions.backends.cached_db
SANDBOX_THEME           off: the package's own markup, without the example theme
SANDBOX_TIME_ZONE       UTC, or the zone of the site
SANDBOX_VAR             the folder of the database and of all other files it writes
"""

import os
from pathlib import Path

SANDBOX_DIR = Path(__file__).resolve().parent
BASE_DIR = SANDBOX_DIR.parent
VAR_DIR = Path(os.environ.get("SANDBOX_VAR") or SANDBOX_DIR / "var")
VAR_DIR.mkdir(parents=True, exist_ok=True)

# The site is for local use only.
DEBUG = True
SECRET_KEY = "the sandbox keeps no secrets"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

INSTALLED_APPS = [
    "sandbox.home",
    "wagtail_user_sessions",
    "wagtail.contrib.forms",
    "wagtail.contrib.redirects",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django_filters",
    "django_htmx",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "sandbox.csp.Middleware",
    "wagtail_user_sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "wagtail_user_sessions.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
]
ROOT_URLCONF = "sandbox.urls"

# Files in these two folders override the package's own markup.
HAS_THEME = os.environ.get("SANDBOX_THEME") != "off"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"] if HAS_THEME else [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
STATICFILES_DIRS = [BASE_DIR / "static"] if HAS_THEME else []
STATIC_URL = "/static/"
MEDIA_ROOT = VAR_DIR / "media"
MEDIA_URL = "/media/"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": VAR_DIR / "db.sqlite3",
        "OPTIONS": {"timeout": 20, "init_command": "PRAGMA journal_mode=WAL"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {
        # Shared between the server and the commands.
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": VAR_DIR / "cache",
    }
}

LANGUAGE_CODE = "en"
# The visitor's browser chooses one of them.
LANGUAGES = [
    ("en", "English"),
    ("de", "German"),
    ("fr", "French"),
    ("es", "Spanish"),
    ("nl", "Dutch"),
    ("ar", "Arabic"),
]
TIME_ZONE = os.environ.get("SANDBOX_TIME_ZONE") or "UTC"
USE_TZ = True

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "wagtail_user_sessions:device_list"
LOGOUT_REDIRECT_URL = "/"

SESSION_ENGINE = (
    os.environ.get("SANDBOX_SESSION_ENGINE") or "wagtail_user_sessions.backends.db"
)
GEOIP_PATH = VAR_DIR
# Lets a client on this computer claim to be elsewhere, by X-Forwarded-For.
WAGTAIL_USER_SESSIONS_TRUSTED_PROXIES = ["127.0.0.0/8", "::1/128"]

WAGTAIL_SITE_NAME = "Sandbox"
WAGTAILADMIN_BASE_URL = "http://127.0.0.1:8000"
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}
WAGTAILDOCS_EXTENSIONS = ["csv", "docx", "odt", "pdf", "pptx", "rtf", "txt", "xlsx"]
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
