from django.urls import URLPattern, URLResolver, include, path

from . import views
from .settings import VARIANT
from .variants import ALLAUTH, OURS, USER_SESSIONS

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.anonymous),
    path("stored/", views.stored),
    path("visitor/", views.visitor),
    path("signed-in/", views.signed_in),
    path("changed/", views.changed),
    path("sign-in/", views.sign_in),
    path("sign-out/", views.sign_out),
]
THEIRS = {
    OURS: "wagtail_user_sessions.urls",
    USER_SESSIONS: "user_sessions.urls",
    ALLAUTH: "allauth.urls",
}
if VARIANT.package in THEIRS:
    urlpatterns.append(path("theirs/", include(THEIRS[VARIANT.package])))
