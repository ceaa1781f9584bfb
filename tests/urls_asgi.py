from django.urls import include, path

from tests import views_asgi

urlpatterns = [
    path("together/<str:key>/", views_asgi.change_together),
    path("data/", views_asgi.data),
    path("id/", views_asgi.session_id),
    path("cache-connection/", views_asgi.cache_connection),
    path("blocking/", views_asgi.blocking),
    path("", include("tests.urls")),
]
