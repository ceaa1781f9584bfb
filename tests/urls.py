from django.contrib import admin
from django.contrib.auth.views import PasswordChangeView
from django.urls import include, path
from wagtail.admin import urls as wagtailadmin_urls

from tests import views

urlpatterns = [
    path("admin/", include(wagtailadmin_urls)),
    path("django-admin/", admin.site.urls),
    path("devices/", include("wagtail_user_sessions.urls")),
    path("", views.plain),
    path("read/", views.read),
    path("change/", views.change),
    path("change-as-user/", views.change_as_user),
    path("achange/", views.achange),
    path("whoami/", views.whoami),
    path("awhoami/", views.awhoami),
    path("login/", views.sign_in, name="login"),
    path("alogin/", views.asign_in),
    path("logout/", views.sign_out),
    path("alogout/", views.asign_out),
    path("keys/", views.keys),
    path("password/", PasswordChangeView.as_view(success_url="/")),
    path("logout-rolled-back/", views.sign_out_and_roll_back),
    path("login-rolled-back/", views.sign_in_and_roll_back),
    path("clear/", views.clear),
    path("renew/", views.renew),
    path("renew-and-fail/", views.renew_and_fail),
    path("delete-user/", views.delete_user),
    path("logout-failing/", views.sign_out_and_fail),
]
