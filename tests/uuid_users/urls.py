from django.urls import path

from tests import views

urlpatterns = [path("whoami/", views.whoami), path("change/", views.change)]
