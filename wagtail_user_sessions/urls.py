from django.urls import path

from . import views

app_name = "wagtail_user_sessions"

urlpatterns = [
    path("", views.device_list, name="device_list"),
]
