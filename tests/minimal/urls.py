from django.urls import include, path

urlpatterns = [path("devices/", include("wagtail_user_sessions.urls"))]
