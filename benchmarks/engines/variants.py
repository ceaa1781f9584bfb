"""The compared engines, each with its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

DJANGO = "django.contrib.sessions"
USER_SESSIONS = "user_sessions"
QSESSIONS = "qsessions"
ALLAUTH = "allauth.usersessions"
OURS = "wagtail_user_sessions"

AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"
OUR_AUTHENTICATION = "wagtail_user_sessions.middleware.AuthenticationMiddleware"


@dataclass(frozen=True, kw_only=True)
class Variant:
    # In the tables.
    name: str
    # In the names of databases.
    slug: str
    # The app that stores the sessions, or tracks them.
    package: str
    # "db" or "cached_db".
    kind: str = "db"
    # The package of the engine and its middleware, if it is another one.
    engines: str = ""
    apps: tuple[str, ...] = ()
    authentication: str = AUTHENTICATION
    more_middleware: tuple[str, ...] = ()
    more_settings: Mapping[str, object] = field(default_factory=dict, hash=False)
    # The URL name of the page that lists a user's sessions.
    device_list: str = ""

    @property
    def engine(self) -> str:
        return f"{self.engines or self.package}.backends.{self.kind}"

    @property
    def installed_apps(self) -> tuple[str, ...]:
        return self.apps or (self.package,)

    @property
    def middleware(self) -> tuple[str, ...]:
        session = f"{self.engines or self.package}.middleware.SessionMiddleware"
        return (session, self.authentication, *self.more_middleware)


def _qsessions(kind: str) -> Variant:
    return Variant(
        name=f"django-qsessions, {kind}",
        slug=f"qsessions_{kind}",
        package=QSESSIONS,
        kind=kind,
    )


def _ours(kind: str, *, is_own: bool, is_prepared: bool = False) -> Variant:
    suffix = f"{', own authentication' * is_own}{', prepared' * is_prepared}"
    return Variant(
        name=f"ours, {kind}{suffix}",
        slug=f"ours_{kind}{'_own' * is_own}{'_prepared' * is_prepared}",
        package=OURS,
        kind=kind,
        authentication=OUR_AUTHENTICATION if is_own else AUTHENTICATION,
        more_settings={"WAGTAIL_USER_SESSIONS_PREPARED_STATEMENTS": is_prepared},
        device_list="wagtail_user_sessions:device_list",
    )


DJANGO_BY_KIND = {
    kind: Variant(
        name=f"Django, {kind}", slug=f"django_{kind}", package=DJANGO, kind=kind
    )
    for kind in ("db", "cached_db")
}
OUR_DB, OUR_DB_OWN = _ours("db", is_own=False), _ours("db", is_own=True)
OUR_CACHED_DB = _ours("cached_db", is_own=False)
OUR_CACHED_DB_OWN = _ours("cached_db", is_own=True)
# Only PostgreSQL prepares statements.
OUR_DB_PREPARED = _ours("db", is_own=True, is_prepared=True)
ALL_OURS = (OUR_DB, OUR_DB_OWN, OUR_DB_PREPARED, OUR_CACHED_DB, OUR_CACHED_DB_OWN)

VARIANTS = (
    *DJANGO_BY_KIND.values(),
    Variant(
        name="django-user-sessions",
        slug="user_sessions",
        package=USER_SESSIONS,
        device_list="user_sessions:session_list",
    ),
    _qsessions("db"),
    _qsessions("cached_db"),
    Variant(
        name="allauth's user sessions",
        slug="allauth",
        package=ALLAUTH,
        engines=DJANGO,
        apps=(
            DJANGO,
            "django.contrib.humanize",
            "django.contrib.messages",
            "allauth",
            "allauth.account",
            ALLAUTH,
        ),
        more_middleware=(
            "allauth.account.middleware.AccountMiddleware",
            "allauth.usersessions.middleware.UserSessionsMiddleware",
        ),
        more_settings={"USERSESSIONS_TRACK_ACTIVITY": True},
        device_list="usersessions_list",
    ),
    *ALL_OURS,
)
BY_SLUG = {variant.slug: variant for variant in VARIANTS}
