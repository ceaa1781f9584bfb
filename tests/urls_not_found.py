from django.http import HttpResponse

from tests.urls_devices_page import urlpatterns  # noqa: F401


def handler404(request, exception):
    return HttpResponse("the site's own", status=404)
