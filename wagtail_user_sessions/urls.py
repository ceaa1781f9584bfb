from django.urls import path

from .devices_page import views

app_name = "wagtail_user_sessions"

urlpatterns = [
    path("", views.device_list, name="device_list"),
    path("revoke-others/", views.device_revoke_others, name="device_revoke_others"),
    path("<uuid:pk>/revoke/", views.device_revoke, name="device_revoke"),
    path("<uuid:pk>/rename/", views.device_rename, name="device_rename"),
]
