from django.urls import include, path

from tests import device_page

account = ([path("devices/", include("wagtail_user_sessions.urls"))], "account")
urlpatterns = [path("", include(account)), *device_page.urlpatterns[1:]]
