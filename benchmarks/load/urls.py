from importlib import import_module

from django.conf import settings
from django.urls import path

views = import_module(settings.LOAD_VIEWS)

urlpatterns = [
    path("whoami/", views.whoami),
    path("count/", views.count),
    path("put/<str:name>/", views.put),
    path("pop/<str:name>/", views.pop),
    path("data/", views.data),
    path("renew/", views.renew),
    path("sign-in/<str:username>/", views.sign_in),
    path("sign-out/", views.sign_out),
    path("end/<uuid:pk>/", views.end),
    path("attempts/", views.attempts),
    path("keep/<str:name>/", views.keep),
]
