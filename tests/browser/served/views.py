from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from wagtail_user_sessions.models import Session


@never_cache
def account(request):
    """A page of the site's own that has the list of devices in it."""
    return render(request, "served/account.html")


@csrf_exempt
def interrupted(request):
    """A request whose session ends before it is saved."""
    request.session["basket"] = 1
    Session.objects.for_request(request).delete()
    return render(request, "served/account.html")
