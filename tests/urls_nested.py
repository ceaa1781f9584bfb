from django.urls import include, path

from tests import urls_devices_page

account = ([path("devices/", include("wagtail_user_sessions.urls"))], "account")
urlpatterns = [path("", include(account)), *urls_devices_page.urlpatterns[1:]]
