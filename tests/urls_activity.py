from django.contrib.auth import get_user_model, login
from django.http import HttpResponse
from django.urls import include, path

from tests import views
from wagtail_user_sessions.models import Session


def enter(request):
    """Sign in the only user of the database."""
    user = get_user_model().objects.get()
    login(request, user, "django.contrib.auth.backends.ModelBackend")
    return HttpResponse(user.get_username())


def revoked_meanwhile(request):
    """A page whose session is revoked while it is made."""
    name = request.user.get_username()
    Session.objects.filter(pk=request.session.id).revoke()
    return HttpResponse(name)


editing = (
    [
        path("ping/", views.whoami, name="ping"),
        path("release/", views.whoami, name="release"),
    ],
    "wagtailadmin_editing_sessions",
)

urlpatterns = [
    path("", views.plain),
    path("read/", views.read),
    path("change/", views.change, name="change"),
    path("whoami/", views.whoami, name="whoami"),
    path("awhoami/", views.awhoami),
    path("login/", views.sign_in),
    path("alogin/", views.asign_in),
    path("logout/", views.sign_out),
    path("alogout/", views.asign_out),
    path("enter/", enter),
    path("revoked/", revoked_meanwhile),
    path("poll/", views.whoami, name="poll"),
    path("editing/", include(editing)),
]
