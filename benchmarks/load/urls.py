from django.urls import path

from . import views

urlpatterns = [
    path("whoami/", views.whoami),
    path("count/", views.count),
    path("put/<str:name>/", views.put),
    path("pop/<str:name>/", views.pop),
    path("data/", views.data),
    path("sign-in/<str:username>/", views.sign_in),
    path("sign-out/", views.sign_out),
    path("end/<uuid:pk>/", views.end),
]
