from django.urls import path

from sandbox.urls import handler400, urlpatterns
from tests.browser.served import views

__all__ = ["handler400", "urlpatterns"]

urlpatterns = [
    path("tests/account/", views.account),
    path("tests/interrupted/", views.interrupted),
    *urlpatterns,
]
